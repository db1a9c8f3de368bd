"""From a preset name or a folder to a task model; shared by both tasks."""

from collections.abc import Sequence
from typing import Any

import keras
import keras_hub

from dlfa_tf import checks
from dlfa_tf import files
from dlfa_tf.models import presets
from dlfa_tf.models.dlfa_backbone import FUSION_ARGUMENTS
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.preprocessing import base_preprocessor
from dlfa_tf.preprocessing import piece_tokenizer

_PREPROCESSOR_ARGUMENTS = ("sequence_length", "label_piece")
_TASK_ARGUMENTS = ("dtype", "dropout", "preprocessor", "name", "compile")
_LABEL_ARGUMENTS = ("labels", "num_classes")


def saved_class(preset: str) -> str | None:
    """Registered class name of the backbone saved in a local preset folder.

    For example `"dlfa_tf>DLFABackbone"`; None when `preset` is no folder with a
    readable `config.json`.
    """
    path = files.user_path(preset, "preset") / "config.json"
    try:
        config = files.read_json(path)
    except (OSError, ValueError):
        return None
    return config.get("registered_name") if isinstance(config, dict) else None


def saved_mixed_policy(preset: str) -> str | None:
    """Mixed dtype policy of the model saved in a local preset folder, or None.

    keras-hub 0.32 takes the name of a saved policy for a dtype and fails on a
    mixed one, unless it is told the policy.
    """
    path = files.user_path(preset, "preset") / "config.json"
    config = files.read_json(path)["config"]
    policy = config.get("dtype")
    name = policy["config"].get("name") if isinstance(policy, dict) else policy
    return name if str(name).startswith("mixed_") else None


def is_saved_task(preset: str) -> bool:
    """Whether `preset` is a folder that `save_to_preset` of a task wrote.

    A backbone that was saved alone raises ValueError.
    """
    if saved_class(preset) != "dlfa_tf>DLFABackbone":
        return False
    if not (files.user_path(preset, "preset") / "task.json").exists():
        raise ValueError(
            "`preset` holds a backbone without a task. Received: "
            f"{str(preset)!r} without task.json. Accepted: a folder written "
            "by `save_to_preset` of a task model; load a backbone with "
            "`DLFABackbone.from_preset` and pass it as `backbone`."
        )
    return True


def local_preset(preset: str) -> str:
    """Makes a bare folder name unmistakable for keras-hub ("x" -> "./x")."""
    return str(files.user_path(preset, "preset").resolve())


def check_saved_task_arguments(kwargs: dict[str, Any]) -> None:
    """Refuses what a saved model has settled, instead of ignoring it."""
    settled = FUSION_ARGUMENTS + _PREPROCESSOR_ARGUMENTS + _LABEL_ARGUMENTS
    given = {k: v for k, v in kwargs.items() if k in settled}
    if given:
        raise ValueError(
            "A saved model keeps its own fusion, preprocessor and labels. "
            f"Received: {given}. Accepted: {', '.join(_TASK_ARGUMENTS)}. For "
            "a new head pass the `backbone` of the loaded model to the class."
        )
    _check_known(kwargs, _TASK_ARGUMENTS)


def _check_known(kwargs: dict[str, Any], known: Sequence[str]) -> None:
    for name in kwargs:
        if name not in known:
            raise TypeError(
                f"Unknown argument. Received: {name!r}. Accepted: "
                f"{', '.join(known)}." + checks.nearest_hint(name, known)
            )


def _check_task_arguments(kwargs: dict[str, Any]) -> None:
    """Refuses what the class would, before an encoder is waited for."""
    if "dropout" in kwargs:
        checks.check_fraction("dropout", kwargs["dropout"])
    labels, num_classes = (kwargs.get(name) for name in _LABEL_ARGUMENTS)
    if labels is not None or num_classes is not None:
        names = resolve_labels(labels, kwargs.get("preprocessor"))
        resolve_num_classes(num_classes, names)


def task_from_encoder(
    cls: Any,
    preset: str,
    load_weights: bool,
    kwargs: dict[str, Any],
) -> Any:
    """Builds a task model around the encoder of a preset.

    `kwargs` are arguments of fusion, preprocessor and task; `dtype` goes to the
    encoder. `cls` is called as `cls(backbone=, preprocessor=, ...)`.
    """
    kwargs = dict(kwargs)
    settings = () if "preprocessor" in kwargs else _PREPROCESSOR_ARGUMENTS
    _check_known(
        kwargs,
        FUSION_ARGUMENTS + settings + _LABEL_ARGUMENTS + _TASK_ARGUMENTS,
    )
    _check_task_arguments(kwargs)
    encoder = presets.load_encoder(
        preset, load_weights=load_weights, dtype=kwargs.pop("dtype", None)
    )
    fusion = {k: kwargs.pop(k) for k in FUSION_ARGUMENTS if k in kwargs}
    backbone = DLFABackbone(encoder, **fusion)
    if "preprocessor" not in kwargs:
        tokenizer = presets.load_tokenizer(preset)
        # Not only with the first text, inside of a data set.
        piece_tokenizer.check_tokenizer(tokenizer)
        kwargs["preprocessor"] = cls.preprocessor_cls(
            tokenizer,
            labels=kwargs.get("labels"),
            use_segment_ids=takes_segments(encoder),
            **{k: kwargs.pop(k) for k in settings if k in kwargs},
        )
    return cls(backbone=backbone, **kwargs)


def takes_segments(encoder: keras_hub.models.Backbone) -> bool:
    """Whether an encoder has the input `segment_ids`."""
    return "segment_ids" in encoder.input


def resolve_labels(labels: Any, preprocessor: Any) -> list[str] | None:
    """Label names from `labels`, from a preprocessor, or from both."""
    own = getattr(preprocessor, "labels", None)
    if labels is None:
        return None if own is None else list(own)
    names = base_preprocessor.checked_labels(labels)
    if own is not None and list(own) != names:
        raise ValueError(
            "`labels` differ from those of the preprocessor. Received: "
            f"{names} and {list(own)}. Accepted: equal lists, or one "
            "of the two."
        )
    return names


def resolve_num_classes(num_classes: int | None, labels: Any) -> int:
    """Number of classes (two or more) from `num_classes`, `labels`, or both."""
    if num_classes is None and labels is None:
        raise ValueError(
            "Either `labels` (a list of names) or `num_classes` is needed. "
            "Received: neither."
        )
    if num_classes is not None:
        num_classes = checks.check_count("num_classes", num_classes, 0)
    count = len(labels) if num_classes is None else num_classes
    if labels is not None and len(labels) != count:
        raise ValueError(
            "`num_classes` and `labels` disagree. Received: num_classes="
            f"{num_classes}, {len(labels)} labels {list(labels)}."
        )
    if count < 2:
        raise ValueError(f"`num_classes` must be 2 or more. Received: {count}.")
    return count


def check_parts(backbone: Any, preprocessor: Any, expected: type) -> None:
    """Refuses what is no backbone, or a preprocessor of another task."""
    if not isinstance(backbone, DLFABackbone):
        raise TypeError(
            "`backbone` must be a DLFABackbone. Received: "
            f"{backbone!r:.120} of type {type(backbone).__name__}. Accepted: "
            "DLFABackbone(encoder, ...); of a preset `from_preset`."
        )
    if preprocessor is not None and not isinstance(preprocessor, expected):
        raise TypeError(
            f"`preprocessor` must be a {expected.__name__}. Received: "
            f"{preprocessor!r:.120} of type {type(preprocessor).__name__}. "
            "Accepted: one, or None for a model of token arrays."
        )


def saved_task_class(folder: str) -> Any:
    """Class of the task model that `save_to_preset` wrote into a folder."""
    path = files.user_path(folder, "preset") / "task.json"
    name = files.read_json(path).get("registered_name")
    cls = keras.saving.get_registered_object(str(name))
    if cls is None or not str(name).startswith("dlfa_tf>"):
        raise ValueError(
            f"{path}: unknown task class. Received: {name!r}. Accepted: "
            "dlfa_tf>DLFATextClassifier, dlfa_tf>DLFATokenClassifier."
        )
    return cls
