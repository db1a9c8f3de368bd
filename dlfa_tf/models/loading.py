"""From a preset name or a folder to a task model; shared by both tasks."""

import json
import pathlib
from typing import Any

import keras
import keras_hub

from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer

_FUSION_ARGUMENTS = (
    "fusion_layer",
    "reduction_ratio",
    "norm",
    "gate",
    "activation",
    "pooling",
    "mix_factor",
    "first",
)


def saved_class(preset: str) -> str | None:
    """Registered class name of the backbone saved in a local preset folder.

    Args:
        preset: str, a folder or any other preset name.

    Returns:
        For example `"dlfa_tf>DLFABackbone"`; None when `preset` is no folder
        with a readable `config.json`.
    """
    path = pathlib.Path(preset) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return config.get("registered_name") if isinstance(config, dict) else None


def is_saved_task(preset: str) -> bool:
    """Whether `preset` is a folder that `save_to_preset` of a task wrote."""
    return saved_class(preset) == "dlfa_tf>DLFABackbone"


def local_preset(preset: str) -> str:
    """Makes a bare folder name unmistakable for keras-hub ("x" -> "./x")."""
    return str(pathlib.Path(preset).resolve())


def task_from_encoder(
    cls: Any,
    preset: str,
    load_weights: bool,
    kwargs: dict[str, Any],
) -> Any:
    """Builds a task model around the encoder of a preset.

    Args:
        cls: task class with a `preprocessor_cls`, called as
            `cls(backbone=, preprocessor=, ...)`.
        preset: str, any name that `load_encoder` accepts.
        load_weights: bool, whether to load the encoder's weights.
        kwargs: arguments of fusion, preprocessor and task; `dtype` goes to
            the encoder.

    Returns:
        The task model.
    """
    kwargs = dict(kwargs)
    encoder = load_encoder(
        preset, load_weights=load_weights, dtype=kwargs.pop("dtype", None)
    )
    fusion = {k: kwargs.pop(k) for k in _FUSION_ARGUMENTS if k in kwargs}
    backbone = DLFABackbone(encoder, **fusion)
    if "preprocessor" not in kwargs:
        names = ("sequence_length", "label_piece")
        settings = {k: kwargs.pop(k) for k in names if k in kwargs}
        kwargs["preprocessor"] = cls.preprocessor_cls(
            load_tokenizer(preset),
            labels=kwargs.get("labels"),
            use_segment_ids=takes_segments(encoder),
            **settings,
        )
    return cls(backbone=backbone, **kwargs)


def takes_segments(encoder: keras_hub.models.Backbone) -> bool:
    """Whether an encoder has the input `segment_ids`."""
    return "segment_ids" in encoder.input


def resolve_num_classes(num_classes: int | None, labels: Any) -> int:
    """Number of classes from `num_classes`, from `labels`, or from both.

    Raises:
        ValueError: when neither is given, when they disagree, or when there
            are fewer than two classes.
    """
    if num_classes is None and labels is None:
        raise ValueError(
            "Either `labels` (a list of names) or `num_classes` is needed. "
            "Received: neither."
        )
    count = len(labels) if num_classes is None else num_classes
    if labels is not None and len(labels) != count:
        raise ValueError(
            "`num_classes` and `labels` disagree. Received: num_classes="
            f"{num_classes}, {len(labels)} labels {list(labels)}."
        )
    if count < 2:
        raise ValueError(
            f"`num_classes` must be 2 or more. Received: {count}."
        )
    return count


def saved_task_class(folder: str) -> Any:
    """Class of the task model that `save_to_preset` wrote into a folder.

    Raises:
        ValueError: when `task.json` names no class of this package.
    """
    path = pathlib.Path(folder) / "task.json"
    name = json.loads(path.read_text(encoding="utf-8")).get("registered_name")
    cls = keras.saving.get_registered_object(str(name))
    if cls is None or not str(name).startswith("dlfa_tf>"):
        raise ValueError(
            f"{path}: unknown task class. Received: {name!r}. Accepted: "
            "dlfa_tf>DLFATextClassifier, dlfa_tf>DLFATokenClassifier."
        )
    return cls
