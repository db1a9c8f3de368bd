"""Everything that decides a run, in one frozen object with a JSON form."""

import dataclasses
import json
import math
import pathlib
from typing import Any

from dlfa_tf import checks
from dlfa_tf.data import tasks
from dlfa_tf.data.sources import SOURCES
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import Task
from dlfa_tf.runs import names
from dlfa_tf.runs import own_fusion
from dlfa_tf.runs import recipes
from dlfa_tf.runs.recipes import RECIPES

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", "auto")
EVAL_SPLITS = ("test", "dev", "test_or_dev")
STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker")
_FUSION_OPTIONS = (
    "fusion_layer", "gate", "norm", "reduction_ratio", "mix_factor",
    "branches", "initial_gate", "output_norm", "fusion", "last_layer",
    "frozen_layers", "sentence_pooling", "pooler",
)  # fmt: skip
# Settings that a `Task` brings along.
_PUBLISHED = (
    "epochs", "batch_size", "learning_rate", "weight_decay", "adam_epsilon",
    "clip_norm", "sequence_length",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of one run; `None` in a flag became the task's default here.

    Attributes:
        task: str, `xnli`, `pawsx`, `ner` or `pos`.
        output_dir: str, run folder.
        data_source: str, `files`, `tfds` or `sample`.
        data_dir: str or None, folder with the task folders (`files`), or of
            TensorFlow Datasets (`tfds`).
        preset: str, encoder preset.
        fusion_layer: int or None; None is the baseline.
        gate: str, `feature` (equation 2) or `attention`.
        norm: str, `layer`, `batch` or `none`.
        reduction_ratio: int, divisor of the width inside the branches.
        mix_factor: float, factor of the mix (the ancestor's code has 2).
        branches: str, `both`, `local` or `global`, branches of the gate.
        initial_gate: float between 0 and 1 or None, where the sigmoid of the
            gate starts; None is a random start.
        output_norm: str, `none` or `layer`, norm of the fused output.
        fusion: str, `dlfa` (equation 2), `mean` (of the two blocks),
            `scalar_mix` (of all blocks; takes no `fusion_layer`) or
            `MODULE:CLASS`, a layer of the user's, who has to import it.
        last_layer: int or None, the block that counts as the last one.
        frozen_layers: int or None, lowest blocks that are not trained, with
            the embeddings; None trains all.
        sentence_pooling: str, `first` or `mean`, what a classifier reads.
        pooler: str, `encoder`, `identity`, `new` or `none`, the dense layer
            of a classifier.
        new_layer_rate: float, factor of the learning rate for weights that
            are not the encoder's: fusion, new pooler, head.
        label_piece: str or None, `first`, `first_content`; None is the
            vocabulary's default.
        sequence_length: int, pieces per row, at most the encoder's positions.
            Defaults to `128` (XTREME).
        dropout: float, before the last layer. Defaults to `0.1` (mBERT).
        epochs: int, passes over the training data.
        batch_size: int, rows per step.
        learning_rate: float, highest one; falls linearly to 0.
        warmup_steps: int, steps in which it rises from 0 first. Defaults to
            `0` (XTREME).
        weight_decay: float. Defaults to `0.0` (XTREME).
        adam_epsilon: float. Defaults to `1e-8` (XTREME).
        clip_norm: float, limit of the global gradient norm. Defaults to `1.0`
            (XTREME).
        dev_every: int or None, steps between scores on the English dev set;
            None is once an epoch.
        train_limit: int or None, training examples to use, from one fixed
            shuffle of all of them, whatever the seed; None is all.
        eval_limit: int or None, examples per language and split to evaluate
            on, from the start of the file; None is all.
        languages: tuple of language codes to evaluate on; `("all",)` is every
            language of the task (an error when one is missing),
            `("available",)` every one that has a file.
        eval_split: str, `test`, `dev` or `test_or_dev` (dev where a language
            has no test file; every score says which).
        seed: int.
        recipe: str, name of the settings that the others started from; see
            `dlfa_tf.runs.recipes`.
        precision: str, dtype policy; `auto` is mixed_bfloat16 where the
            hardware has it, else float32. A run folder tells which it was.
        jit_compile: bool, whether to compile the step with XLA.
        strategy: str, `one_device`, `mirrored` (all GPUs of this machine),
            `multi_worker` (machines listed in TF_CONFIG) or `auto`.
        checkpoint_minutes: float, minutes between two checkpoints; 0 is
            after every step.
        keep_checkpoints: int, newest checkpoints to keep while training.
        compact_vocabulary: bool, train on the embedding rows in use only.
            Exact while `weight_decay` is 0. Defaults to `True`.

    Raises:
        ValueError: for any value outside its range, naming it.
        TypeError: when `languages` is not a tuple.
    """

    task: str
    output_dir: str
    data_source: str = "files"
    data_dir: str | None = None
    preset: str = "e5_small_multi"
    fusion_layer: int | None = None
    gate: str = "feature"
    norm: str = "layer"
    reduction_ratio: int = 4
    mix_factor: float = 1.0
    branches: str = "both"
    initial_gate: float | None = None
    output_norm: str = "none"
    fusion: str = "dlfa"
    last_layer: int | None = None
    frozen_layers: int | None = None
    sentence_pooling: str = "first"
    pooler: str = "encoder"
    new_layer_rate: float = 1.0
    label_piece: str | None = None
    sequence_length: int = Task.sequence_length
    dropout: float = 0.1
    epochs: int
    batch_size: int
    learning_rate: float
    warmup_steps: int = 0
    weight_decay: float = Task.weight_decay
    adam_epsilon: float = Task.adam_epsilon
    clip_norm: float = Task.clip_norm
    dev_every: int | None = None
    train_limit: int | None = None
    eval_limit: int | None = None
    languages: tuple[str, ...] = ("all",)
    eval_split: str = Task.report_split
    seed: int = 1
    recipe: str = "xtreme"
    precision: str = "float32"
    jit_compile: bool = False
    strategy: str = "auto"
    checkpoint_minutes: float = 10.0
    keep_checkpoints: int = 2
    compact_vocabulary: bool = True

    def __post_init__(self) -> None:
        for name, accepted in (
            ("task", tuple(TASKS)),
            ("data_source", SOURCES),
            ("gate", ("feature", "attention")),
            ("norm", ("layer", "batch", "none")),
            ("branches", ("both", "local", "global")),
            ("output_norm", ("none", "layer")),
            ("sentence_pooling", ("first", "mean")),
            ("pooler", ("encoder", "identity", "new", "none")),
            ("label_piece", ("first", "first_content", None)),
            ("eval_split", EVAL_SPLITS),
            ("precision", PRECISIONS),
            ("recipe", tuple(RECIPES)),
            ("strategy", STRATEGIES),
        ):
            value = getattr(self, name)
            if value not in accepted:
                raise ValueError(
                    f"`{name}` is unknown. Received: {value!r}. Accepted: "
                    f"{list(accepted)}."
                    + checks.nearest_hint(value, [a for a in accepted if a])
                )
        for name, low in (
            ("epochs", 1), ("batch_size", 1), ("reduction_ratio", 1),
            ("dev_every", 1), ("train_limit", 1), ("eval_limit", 1),
            ("fusion_layer", 0), ("last_layer", 1), ("frozen_layers", 0),
            ("sequence_length", 8), ("warmup_steps", 0),
            ("checkpoint_minutes", 0), ("keep_checkpoints", 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(
                    f"`{name}` is too small. Received: {value}. Accepted: "
                    f"{low} or more."
                )
        for name in (
            "learning_rate", "adam_epsilon", "clip_norm", "mix_factor",
            "new_layer_rate",
        ):  # fmt: skip
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(
                    f"`{name}` must be positive and finite. Received: {value}."
                )
        if self.initial_gate is not None and not 0 < self.initial_gate < 1:
            raise ValueError(
                "`initial_gate` is out of range. Received: "
                f"{self.initial_gate}. Accepted: above 0 and below 1, or None."
            )
        own_fusion.check_fusion_name(self.fusion)
        mixes_all = self.fusion == "scalar_mix"
        if self.fusion != "dlfa" and mixes_all == (
            self.fusion_layer is not None
        ):
            raise ValueError(
                "`fusion_layer` does not fit `fusion`. Received: "
                f"{self.fusion_layer} with fusion={self.fusion!r}. Accepted: "
                "None with scalar_mix, a block with mean and MODULE:CLASS."
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"`dropout` is out of range. Received: {self.dropout}. "
                "Accepted: 0 to below 1."
            )
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ValueError(
                "`weight_decay` must be finite and not negative. Received: "
                f"{self.weight_decay}."
            )
        if self.weight_decay > 0 and self.compact_vocabulary:
            raise ValueError(
                "`compact_vocabulary` is exact only without weight decay, "
                "which also shrinks the rows that are not in use. Received: "
                f"weight_decay={self.weight_decay}. Accepted: weight_decay=0 "
                "or compact_vocabulary=False."
            )
        if not isinstance(self.languages, tuple):
            raise TypeError(
                f"`languages` must be a tuple. Received: {self.languages!r} "
                f"of type {type(self.languages).__name__}."
            )
        if not self.languages:
            raise ValueError("`languages` is empty. Accepted: one or more.")

    @property
    def system(self) -> str:
        """Name: `baseline`, `D_x`, `mean_x`, `scalar_mix`, `<class>_x`."""
        return names.system_name(self.fusion_layer, self.fusion)

    @property
    def fusion_options(self) -> dict[str, Any]:
        """Arguments of `DLFABackbone`, besides the encoder."""
        return {name: getattr(self, name) for name in _FUSION_OPTIONS}

    @property
    def gate_used(self) -> str | None:
        """`gate`; None for a system that has none."""
        fuses = self.fusion_layer is not None and self.fusion == "dlfa"
        return self.gate if fuses else None

    @property
    def task_definition(self) -> Task:
        """The `Task` of this run."""
        return tasks.get_task(self.task)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` reads back."""
        values = dataclasses.asdict(self)
        values["languages"] = list(self.languages)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TrainConfig":
        """Rebuilds a config from `to_json`'s values.

        Raises:
            ValueError: when a key is unknown.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"Unknown settings in the config: {unknown}. Accepted: "
                f"{sorted(known)}."
            )
        values = dict(values)
        values["languages"] = tuple(values.get("languages", ("all",)))
        return cls(**values)


def default_config(
    task: str, recipe: str = "xtreme", **overrides: Any
) -> TrainConfig:
    """Builds a config from a recipe.

    Args:
        task: str, name of the task.
        recipe: str, name in `dlfa_tf.runs.recipes.RECIPES`.
        **overrides: values to change; None leaves the recipe's alone.
            `dev_every=0` is once an epoch, a limit of 0 is no limit.

    Returns:
        `TrainConfig` with the published settings of the task where neither
        the recipe nor a value says otherwise.

    Raises:
        ValueError: for an unknown task or recipe, or a wrong value.
    """
    definition = tasks.get_task(task)
    values: dict[str, Any] = {
        name: getattr(definition, name) for name in _PUBLISHED
    }
    values["eval_split"] = definition.report_split
    values.update(recipes.recipe_values(recipe, definition))
    values.update({k: v for k, v in overrides.items() if v is not None})
    for name in ("dev_every", "train_limit", "eval_limit"):
        values[name] = values.get(name) or None
    return TrainConfig(task=task, recipe=recipe, **values)


def read_config(run_dir: str) -> TrainConfig:
    """Reads `config.json` of a run folder.

    Raises:
        FileNotFoundError: when the folder is no run folder.
        ValueError: when its `config.json` is none that a run wrote.
    """
    path = pathlib.Path(run_dir) / "config.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{run_dir!r} is no run folder: config.json is missing. Accepted: "
            "an `output_dir` that trainers.train wrote."
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["config"]
        return TrainConfig.from_json(values)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: not the settings of a run ({error}). Accepted: the file "
            "as trainers.train wrote it."
        ) from error
