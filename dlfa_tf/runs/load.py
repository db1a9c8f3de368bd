"""From a config to a model, from a model to a folder and back."""

import pathlib
import shutil
from typing import Any

import numpy as np

from dlfa_tf import files
from dlfa_tf import manifest
from dlfa_tf.models import compact_model
from dlfa_tf.models import loading
from dlfa_tf.models import model_card
from dlfa_tf.models.task import DLFATask
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.runs import own_fusion
from dlfa_tf.runs import settings
from dlfa_tf.runs.settings import TrainConfig

# Folder of the chosen weights in a run folder.
MODEL = "model"
# Weights of a run on a bundle, in place of that folder.
WEIGHTS = "weights.npz"


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
        "labels": list(task.label_names),
        **fusion_arguments(config, dtype),
        "sequence_length": config.sequence_length,
        "dropout": config.dropout,
        "dtype": dtype or config.precision,
    }
    if task.is_tagging:
        return DLFATokenClassifier.from_preset(
            config.preset, label_piece=config.label_piece, **arguments
        )
    model = DLFATextClassifier.from_preset(config.preset, **arguments)
    model.num_texts = task.num_texts
    return model


def fusion_arguments(
    config: TrainConfig, dtype: str | None = None
) -> dict[str, Any]:
    """Arguments of `DLFABackbone` besides the encoder, layers made.

    `dtype` is a policy in place of the config's. `fusion` becomes a name, or a
    layer where it is the user's (ImportError when its module is not imported).
    """
    options = config.fusion_options
    if own_fusion.is_own(config.fusion):
        options["fusion"] = own_fusion.make_layer(
            config.fusion, dtype or config.precision
        )
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
    path = files.user_path(folder, "folder")
    for candidate in (path / MODEL, path):
        if loading.is_saved_task(str(candidate)):
            return DLFATask.from_preset(str(candidate), dtype=dtype)
    if has_bundle_weights(path):
        return load_bundle_model(path, dtype)
    raise FileNotFoundError(
        f"{folder!r} holds no saved model. Accepted: the `output_dir` of a "
        "finished run, or a folder written by `save_to_preset`."
    )


def save_model(model: Any, folder: pathlib.Path) -> None:
    """Saves a task model as a preset, aside first and then renamed.

    What was in the folder is replaced, but for a `README.md` of the user's.
    """
    readme = folder / model_card.README
    # A run that was killed right after this saves once more.
    with files.written_aside(folder, replace=True) as temporary:
        model.save_to_preset(str(temporary))
        manifest.write(temporary)
        if model_card.is_own(readme):
            shutil.copy2(readme, temporary)


def save_bundle_weights(
    model: Any, token_ids: np.ndarray, run_dir: pathlib.Path
) -> None:
    """Writes `weights.npz`: every weight, of the token embedding some rows.

    `token_ids`, int `(rows,)`, are the preset's ids of these rows.
    """
    named = {f"{i:04d}": w for i, w in enumerate(model.get_weights())}
    with files.written_aside(run_dir / WEIGHTS) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, token_ids=token_ids, **named)


def has_bundle_weights(run_dir: pathlib.Path) -> bool:
    """Whether a folder is one of a run on a bundle that kept its weights."""
    return (run_dir / WEIGHTS).is_file()


def read_bundle_weights(
    run_dir: pathlib.Path,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Reads `weights.npz`: token ids of the embedding rows, and all weights.

    The ids are the preset's. A damaged file raises ValueError.
    """
    path = run_dir / WEIGHTS
    try:
        # NumPy leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream) as file:
            token_ids = file["token_ids"]
            weights = [file[f"{i:04d}"] for i in range(len(file.files) - 1)]
    except files.BROKEN_NPZ as e:
        raise ValueError(
            f"{str(path)!r} cannot be read ({e}). Accepted: the file as the "
            "run on a bundle wrote it."
        ) from e
    return token_ids, weights


def load_bundle_model(run_dir: pathlib.Path, dtype: str | None = None) -> Any:
    """Builds the full model, tokenizer included, of a run on a bundle.

    The preset gives the tokenizer and the embedding rows that the run did not
    train; they are as they were, exactly so when the bundle was exact. `dtype`
    is a policy in place of the run's.

    ValueError says that `weights.npz` is damaged or does not fit the model,
    ConnectionError or FileNotFoundError that the preset is not at hand.
    """
    token_ids, weights = read_bundle_weights(run_dir)
    model = build_model(settings.read_config(str(run_dir)), dtype)
    small = compact_model.compact_model(model, token_ids)
    small.set_weights(weights)
    compact_model.write_back(model, small, token_ids)
    return model
