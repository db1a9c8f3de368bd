"""Everything that decides a run, in one frozen object with a JSON form."""

import dataclasses
import json
import math
import pathlib
from typing import Any

from dlfa_tf.data.sources import SOURCES
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import Task
from dlfa_tf.data.tasks import get_task
from dlfa_tf.data.tasks import nearest_hint

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
EVAL_SPLITS = ("test", "dev", "test_or_dev")
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
        label_piece: str or None, `first`, `first_content`; None is the
            vocabulary's default.
        sequence_length: int, pieces per row. Defaults to `128` (XTREME).
        dropout: float, before the last layer. Defaults to `0.1` (mBERT).
        epochs: int, passes over the training data.
        batch_size: int, rows per step.
        learning_rate: float, at the first step; falls linearly to 0.
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
        precision: str, dtype policy.
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
    label_piece: str | None = None
    sequence_length: int = Task.sequence_length
    dropout: float = 0.1
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = Task.weight_decay
    adam_epsilon: float = Task.adam_epsilon
    clip_norm: float = Task.clip_norm
    dev_every: int | None = None
    train_limit: int | None = None
    eval_limit: int | None = None
    languages: tuple[str, ...] = ("all",)
    eval_split: str = Task.report_split
    seed: int = 1
    precision: str = "float32"
    compact_vocabulary: bool = True

    def __post_init__(self) -> None:
        for name, accepted in (
            ("task", tuple(TASKS)),
            ("data_source", SOURCES),
            ("gate", ("feature", "attention")),
            ("norm", ("layer", "batch", "none")),
            ("label_piece", ("first", "first_content", None)),
            ("eval_split", EVAL_SPLITS),
            ("precision", PRECISIONS),
        ):
            value = getattr(self, name)
            if value not in accepted:
                raise ValueError(
                    f"`{name}` is unknown. Received: {value!r}. Accepted: "
                    f"{list(accepted)}."
                    + nearest_hint(value, [a for a in accepted if a])
                )
        for name, low in (
            ("epochs", 1), ("batch_size", 1), ("reduction_ratio", 1),
            ("dev_every", 1), ("train_limit", 1), ("eval_limit", 1),
            ("fusion_layer", 0), ("sequence_length", 8),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(
                    f"`{name}` is too small. Received: {value}. Accepted: "
                    f"{low} or more."
                )
        for name in ("learning_rate", "adam_epsilon", "clip_norm"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(
                    f"`{name}` must be positive and finite. Received: {value}."
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
        """Name of the system in the paper: `baseline` or `D_x`."""
        return system_name(self.fusion_layer)

    @property
    def task_definition(self) -> Task:
        """The `Task` of this run."""
        return get_task(self.task)

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


def system_name(fusion_layer: int | None) -> str:
    """The paper's name of a system: `baseline`, or `D_x` for block x."""
    return "baseline" if fusion_layer is None else f"D_{fusion_layer}"


def default_config(task: str, **overrides: Any) -> TrainConfig:
    """Builds a config from a task's published settings.

    Args:
        task: str, name of the task.
        **overrides: values to change; None leaves the default alone.

    Returns:
        `TrainConfig` with the XTREME scripts' settings where nothing else is
        given.
    """
    definition = get_task(task)
    values: dict[str, Any] = {
        name: getattr(definition, name) for name in _PUBLISHED
    }
    values["eval_split"] = definition.report_split
    values.update({k: v for k, v in overrides.items() if v is not None})
    return TrainConfig(task=task, **values)


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
