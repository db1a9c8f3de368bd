"""From a config to a model, from a model to a folder and back."""

import os
import pathlib
import shutil
from typing import Any

from dlfa_tf.models.loading import is_saved_task
from dlfa_tf.models.task import DLFATask
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.training.config import TrainConfig
from dlfa_tf.training.own_fusion import is_own
from dlfa_tf.training.own_fusion import make_layer

# Folder of the chosen weights in a run folder.
MODEL = "model"


def build_model(config: TrainConfig, dtype: str | None = None) -> Any:
    """Builds the task model of a config from its encoder preset.

    Args:
        config: `TrainConfig`.
        dtype: str or None, a policy in place of the config's.

    Returns:
        `DLFATextClassifier` or `DLFATokenClassifier`.
    """
    task = config.task_definition
    arguments: dict[str, Any] = {
        "labels": list(task.labels),
        **fusion_arguments(config, dtype),
        "sequence_length": config.sequence_length,
        "dropout": config.dropout,
        "dtype": dtype or config.precision,
    }
    if task.kind == "pair":
        return DLFATextClassifier.from_preset(config.preset, **arguments)
    return DLFATokenClassifier.from_preset(
        config.preset, label_piece=config.label_piece, **arguments
    )


def fusion_arguments(
    config: TrainConfig, dtype: str | None = None
) -> dict[str, Any]:
    """Arguments of `DLFABackbone` besides the encoder, layers made.

    Args:
        config: `TrainConfig`.
        dtype: str or None, a policy in place of the config's.

    Returns:
        dict of constructor arguments; `fusion` is a name, or a layer where it
        is the user's.

    Raises:
        ImportError: when the module of the user's layer is not imported.
    """
    options = config.fusion_options
    if is_own(config.fusion):
        options["fusion"] = make_layer(config.fusion, dtype or config.precision)
    return options


def load_model(folder: str, dtype: str | None = None) -> Any:
    """Loads the model of a run folder, or of a saved task preset.

    Args:
        folder: str, a run folder (with `model/`, or with the `weights.npz`
            of a run on a bundle) or a preset folder.
        dtype: str or None, Keras' name of a policy, such as `"bfloat16"`.
            Defaults to the one that the model was trained in.

    Returns:
        `DLFATextClassifier` or `DLFATokenClassifier`.

    Raises:
        FileNotFoundError: when there is no saved task model.
    """
    path = pathlib.Path(folder)
    for candidate in (path / MODEL, path):
        if is_saved_task(str(candidate)):
            return DLFATask.from_preset(str(candidate), dtype=dtype)
    # Here because it needs this module.
    from dlfa_tf.training import bundle_weights

    if bundle_weights.has_bundle_weights(path):
        return bundle_weights.load_bundle_model(path, dtype)
    raise FileNotFoundError(
        f"{folder!r} holds no saved model. Accepted: the `output_dir` of a "
        "finished run, or a folder written by `save_to_preset`."
    )


def save_model(model: Any, folder: pathlib.Path) -> None:
    """Saves a task model as a preset, aside first and then renamed.

    What was in the folder is replaced.
    """
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        model.save_to_preset(str(temporary))
        # A run that was killed right after this saves once more.
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
