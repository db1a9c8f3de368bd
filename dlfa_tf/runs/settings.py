"""Everything that decides a run: each setting declared once.

Flags, checks, `config.json`, names of variants, what a bundle or a resumed run
must agree in, and docs/settings.md follow from the fields of `TrainConfig`.
"""

import dataclasses
import functools
import json
from typing import Any

from dlfa_tf import files
from dlfa_tf import options
from dlfa_tf import shareable
from dlfa_tf.data import task_file
from dlfa_tf.data import tasks
from dlfa_tf.data.task import SOURCES
from dlfa_tf.data.task import Task
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.runs import names
from dlfa_tf.runs import own_fusion
from dlfa_tf.runs import recipes
from dlfa_tf.runs import setting
from dlfa_tf.runs.engine_settings import EngineSettings
from dlfa_tf.runs.recipes import RECIPES
from dlfa_tf.runs.setting import REQUIRED

_data = functools.partial(setting.setting, "data")
_model = functools.partial(setting.setting, "model")
_gate = functools.partial(setting.setting, "gate")
_training = functools.partial(setting.setting, "training")
_evaluation = functools.partial(setting.setting, "evaluation")
_place = functools.partial(setting.setting, "place")


def _block_number(text: str) -> int:
    """Reads the number of a block, also as the name of its system."""
    try:
        return int(text.strip().removeprefix("D_"))
    except ValueError:
        raise ValueError(
            "not a block. Accepted: the number of a block such as 9, or D_9 "
            "for the same; leave the flag out for the baseline."
        ) from None


def _without_tilde(name: str, path: Any) -> str:
    """A path, or a name that is none, without `~` at its beginning.

    Nothing else of it changes: an address such as `hf://...` is no path.
    """
    if not isinstance(path, str) or path.startswith("~"):
        return str(files.user_path(path, name))
    return path


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig(EngineSettings):
    """Settings of one run; what a flag left open is decided here.

    `Setting` says what a field declares, docs/settings.md lists all. Their
    order is that in the names of variants.

    Raises:
        ValueError: for any value outside its range, naming it, and for values
            that do not fit each other.
        TypeError: when `languages` is not a tuple.
    """

    task: str = _data(
        "Task of the benchmark, or the file of a task of your own "
        "(docs/own_task.md), whose name it then is",
        choices=(*TASKS, tasks.OWN),
        check=tasks.check_task_name,
        default=REQUIRED,
    )
    definition: Task | None = _data(
        "What a task of your own is, as its file said; labels that are those "
        "of the training data have been looked up",
        None,
        has_flag=False,
        to_plain=task_file.task_to_values,
        from_plain=task_file.task_from_values,
    )
    output_dir: str = _place("Run folder; new or empty")
    data_source: str = _data(
        "Where examples come from: an XTREME-like folder, sets that "
        "TensorFlow Datasets has prepared, or the small sample shipped with "
        "the package",
        choices=SOURCES,
    )
    data_dir: str | None = _place(
        "Folder that holds xnli/, pawsx/, panx/, udpos_fused/ or XTREME's "
        "udpos/ (for --data_source=files), or the folder of TensorFlow "
        "Datasets (for --data_source=tfds)",
        None,
    )
    source_languages: tuple[str, ...] = _data(
        "Languages to train on and to choose weights on, separated by commas",
        options.SOURCE_LANGUAGES,
        unset="the task's (en)",
    )
    target_examples: tuple[str, ...] | None = _data(
        "Labelled examples of target languages to train on as well, from one "
        "fixed shuffle, such as zh:100,de:50; such a run is not zero-shot, and "
        "every table says so",
        None,
        unset="none",
        in_tables="named",
        check=names.check_target_examples,
    )
    preset: str = _data(
        "Encoder: e5_small_multi, bert_base_multi, a keras-hub preset, a "
        "folder of keras-hub, Hugging Face or Google, Google's zip archive, an "
        "hf:// or kaggle:// handle",
        options.DEFAULT_PRESET,
        in_tables="named",
    )
    fusion_layer: int | None = _model(
        "Block fused with the last one: 1 is the first block, and D_1 its "
        "system",
        None,
        unset="none, the baseline",
        in_tables="free",
        parse=_block_number,
        low=0,
    )
    fusion: str = _model(
        "Equation 2; the plain mean of two blocks; a learned weighted mean of "
        "all blocks, which takes no --fusion_layer; or a layer of your own, "
        "whose module is imported from the current folder or PYTHONPATH",
        choices=(*options.FUSIONS, "MODULE:CLASS"),
        in_tables="free",
        check=own_fusion.check_fusion_name,
    )
    gate: str = _gate(
        "Gate of the fusion: `feature` as equation 2 is written, `attention` "
        "the sigmoid alone",
        choices=options.GATES,
        in_tables="free",
    )
    norm: str = _gate("Norm in the branches", choices=options.NORMS)
    reduction_ratio: int = _gate(
        "Divisor of the branches' width", options.REDUCTION_RATIO, low=1
    )
    mix_factor: float = _gate(
        "Factor of the mix; 1 is equation 2, the vision ancestor has 2",
        options.MIX_FACTOR,
        positive=True,
    )
    branches: str = _gate("Branches of the gate", choices=options.BRANCHES)
    initial_gate: float | None = _gate(
        "Where the gate's sigmoid starts, above 0 and below 1",
        None,
        unset="a random start",
        positive=True,
        below=1,
    )
    output_norm: str = _gate(
        "Norm of the fused output", choices=options.OUTPUT_NORMS
    )
    last_layer: int | None = _model(
        "Block that counts as the last one",
        None,
        unset="the last there is",
        low=1,
    )
    frozen_layers: int | None = _model(
        "Lowest blocks that are not trained, with the embeddings",
        None,
        unset="none is frozen",
        low=0,
    )
    sentence_pooling: str = _model(
        "What a classifier reads: position 0, or the mean over real tokens",
        choices=options.SENTENCE_POOLINGS,
    )
    pooler: str = _model(
        "A classifier's dense layer with tanh: the encoder's own, one that "
        "starts as the identity or at random, or none",
        choices=options.POOLERS,
    )
    new_layer_rate: float = _training(
        "Factor of the learning rate for fusion, new pooler and head",
        1.0,
        in_tables="named",
        positive=True,
    )
    dropout: float = _training(
        "Dropout before the last layer",
        options.DROPOUT,
        unset=f"{options.DROPOUT} (mBERT)",
        in_tables="named",
        low=0,
        below=1,
    )
    # Named where a run asked for it; None is the tokenizer's own.
    label_piece: str | None = _data(
        "Piece of a word that carries its label (tagging)",
        None,
        unset="first_content for SentencePiece, first for WordPiece",
        in_tables="named",
        choices=options.LABEL_PIECES,
    )
    sequence_length: int = _data(
        "Pieces per row, special ones included, at most the encoder's "
        "positions",
        Task.sequence_length,
        unset=f"{Task.sequence_length} (XTREME scripts)",
        low=options.MIN_SEQUENCE_LENGTH,
    )
    epochs: int = _training(
        "Passes over the training data",
        unset="the recipe's for the task",
        low=1,
    )
    batch_size: int = _training(
        "Rows per step over all replicas",
        unset=f"the recipe's ({Task.batch_size})",
        low=1,
    )
    learning_rate: float = _training(
        "Highest learning rate, falls linearly to 0",
        unset=f"the recipe's ({Task.learning_rate} for xtreme)",
        positive=True,
    )
    warmup_steps: int = _training(
        "Steps in which the rate rises from 0 first",
        0,
        unset="the recipe's (0 for xtreme)",
        low=0,
    )
    weight_decay: float = _training(
        "Weight decay of AdamW; other than 0 it needs --nocompact_vocabulary",
        Task.weight_decay,
        unset=f"{Task.weight_decay} (XTREME scripts)",
        low=0,
    )
    adam_epsilon: float = _training(
        "Epsilon of AdamW",
        Task.adam_epsilon,
        unset=f"{Task.adam_epsilon} (XTREME scripts)",
        positive=True,
    )
    clip_norm: float = _training(
        "Limit of the global gradient norm",
        Task.clip_norm,
        unset=f"{Task.clip_norm} (XTREME scripts)",
        positive=True,
    )
    dev_every: int | None = _training(
        "Steps between scores on dev of the source languages; 0 is once an "
        "epoch",
        None,
        unset="the recipe's",
        zero_is_none=True,
        low=1,
    )
    train_limit: int | None = _data(
        "Training examples to use, from one fixed shuffle; 0 is all",
        None,
        unset="the recipe's",
        zero_is_none=True,
        low=1,
    )
    eval_limit: int | None = _evaluation(
        "Examples per language to evaluate on, from the start of each file; "
        "0 is all",
        None,
        unset="the recipe's",
        in_tables="refused",
        zero_is_none=True,
        low=1,
    )
    languages: tuple[str, ...] = _evaluation(
        "Languages to evaluate on, separated by commas; `all` are those of "
        "the benchmark, `available` those that have a file",
        ("all",),
    )
    eval_split: str = _evaluation(
        "Split to report; `test_or_dev` takes dev where a language has no "
        "test file, and says so",
        Task.report_split,
        choices=("test", "dev", "test_or_dev"),
    )
    seed: int = _training(
        "Seed of weights, dropout and order", 1, in_tables="free"
    )
    recipe: str = _training(
        "Named settings by task, which the other flags override",
        choices=tuple(RECIPES),
        in_tables="free",
    )
    compact_vocabulary: bool = _training(
        "Train on the embedding rows in use only (exact without weight decay)",
        True,
        in_tables="free",
    )

    def __post_init__(self) -> None:
        for name in ("output_dir", "data_dir", "preset"):
            # Fields of a frozen dataclass.
            if getattr(self, name) is not None:
                path = _without_tilde(name, getattr(self, name))
                object.__setattr__(self, name, path)
        for name, declared in SETTINGS.items():
            if name != "task" or self.definition is None:
                declared.check_value(getattr(self, name))
        if self.definition is not None and self.task != self.definition.name:
            raise ValueError(
                "`definition` is of another task. Received: "
                f"{self.definition.name!r} with task={self.task!r}."
            )
        both = set(self.target_counts) & set(self.source_languages)
        if both:
            raise ValueError(
                "`target_examples` are of source languages. Received: "
                f"{sorted(both)}, which all examples are of already. Accepted: "
                "other languages."
            )
        mixes_all = self.fusion == "scalar_mix"
        if self.fusion != "dlfa" and mixes_all == (
            self.fusion_layer is not None
        ):
            raise ValueError(
                "`fusion_layer` does not fit `fusion`. Received: "
                f"{self.fusion_layer} with fusion={self.fusion!r}. Accepted: "
                "None with scalar_mix, a block with mean and MODULE:CLASS."
            )
        if self.weight_decay > 0 and self.compact_vocabulary:
            raise ValueError(
                "`compact_vocabulary` is exact only without weight decay, "
                "which also shrinks the rows that are not in use. Received: "
                f"weight_decay={self.weight_decay}. Accepted: weight_decay=0 "
                "or compact_vocabulary=False."
            )

    @property
    def system(self) -> str:
        """Name: `baseline`, `D_x`, `mean_x`, `scalar_mix`, `<class>_x`."""
        return names.system_name(self.fusion_layer, self.fusion)

    @property
    def fusion_options(self) -> dict[str, Any]:
        """Arguments of `DLFABackbone`, besides the encoder."""
        return {
            name: getattr(self, name)
            for name, declared in SETTINGS.items()
            if declared.of in ("model", "gate")
        }

    @property
    def target_counts(self) -> dict[str, int]:
        """From language to the number of examples in `target_examples`."""
        return names.target_counts(self.target_examples)

    @property
    def gate_used(self) -> str | None:
        """`gate`; None for a system that has none."""
        fuses = self.fusion_layer is not None and self.fusion == "dlfa"
        return self.gate if fuses else None

    @property
    def task_definition(self) -> Task:
        """The `Task` of this run."""
        return self.definition or tasks.get_task(self.task)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` reads back."""
        return setting.to_json(self, SETTINGS)

    def shareable(self) -> dict[str, Any]:
        """What `to_json` returns, without the folders of this machine."""
        values = self.to_json()
        for name in ("output_dir", "data_dir"):
            del values[name]
        values["preset"] = shareable.without_paths(self.preset)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TrainConfig":
        """Rebuilds a config from `to_json`'s values.

        Raises:
            ValueError: when a key is unknown.
        """
        unknown = sorted(set(values) - set(SETTINGS))
        if unknown:
            raise ValueError(
                f"Unknown settings in the config: {unknown}. Accepted: "
                f"{sorted(SETTINGS)}."
            )
        return cls(**{k: SETTINGS[k].from_json(v) for k, v in values.items()})


# All settings by name.
SETTINGS = setting.settings_of(TrainConfig)


def default_config(
    task: str, recipe: str = TrainConfig.recipe, **overrides: Any
) -> TrainConfig:
    """Builds a config from a recipe.

    Args:
        task: str, name of the task, or its file; any name with a
            `definition`.
        recipe: str, name in `dlfa_tf.runs.recipes.RECIPES`.
        **overrides: values to change; None leaves the recipe's alone.
            `dev_every=0` is once an epoch, a limit of 0 is no limit. Without
            `data_dir` the files of a task file are beside it.

    Returns:
        `TrainConfig` with the published settings of the task where neither
        the recipe nor a value says otherwise.

    Raises:
        ValueError: for an unknown task or recipe, or a wrong value.
        FileNotFoundError: when there is no such task file, or when the
            labels are those of training data that are not there.
    """
    definition = overrides.get("definition") or _find_task(task, overrides)
    values: dict[str, Any] = {
        name: getattr(definition, name)
        for name, declared in SETTINGS.items()
        if declared.unset and hasattr(definition, name)
    }
    values["eval_split"] = definition.report_split
    values.update(recipes.recipe_values(recipe, definition))
    values.update({k: v for k, v in overrides.items() if v is not None})
    if definition.name not in TASKS:
        values["definition"] = definition
        if definition.home and values.get("data_source", "files") == "files":
            values.setdefault("data_dir", definition.home)
    for name, declared in SETTINGS.items():
        if declared.zero_is_none:
            values[name] = values.get(name) or None
    return TrainConfig(task=definition.name, recipe=recipe, **values)


def _find_task(task: str, values: dict[str, Any]) -> Task:
    """The task of a name or a file, its labels looked up in the data."""
    found = tasks.find_task(task)
    if found.labels:
        return found
    # Not at the top: flags are defined before data are there.
    from dlfa_tf.data import task_labels

    return task_labels.with_labels(
        found, values.get("data_dir"), values.get("source_languages") or ()
    )


def task_settings(task: Task) -> dict[str, Any]:
    """The settings that say which task it is, as `to_json` has them."""
    if task.name in TASKS:
        return {"task": task.name, "definition": None}
    return {"task": task.name, "definition": task_file.task_to_values(task)}


def read_config(run_dir: str) -> TrainConfig:
    """Reads `config.json` of a run folder.

    Raises:
        FileNotFoundError: when the folder is no run folder.
        ValueError: when its `config.json` is none that a run wrote.
    """
    path = files.user_path(run_dir, "run_dir") / "config.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{run_dir!r} is no run folder: config.json is missing. Accepted: "
            "an `output_dir` that trainers.train wrote."
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["config"]
        return TrainConfig.from_json(values)
    except (
        KeyError, TypeError, ValueError, AttributeError, RecursionError
    ) as error:  # fmt: skip
        raise ValueError(
            f"{path}: not the settings of a run ({error}). Accepted: the file "
            "as trainers.train wrote it."
        ) from error
