"""Trained weights of a run on a bundle, and the full model made of them."""

import os
import pathlib
import zipfile
from typing import Any

import numpy as np

from dlfa_tf.models.compact_model import compact_model
from dlfa_tf.models.compact_model import write_back
from dlfa_tf.training.config import read_config
from dlfa_tf.training.model_files import build_model

WEIGHTS = "weights.npz"


def save_bundle_weights(
    model: Any, token_ids: np.ndarray, run_dir: pathlib.Path
) -> None:
    """Writes `weights.npz`: every weight, of the token embedding some rows.

    Args:
        model: trained task model over some embedding rows.
        token_ids: int `(rows,)`, the preset's token id of each row.
        run_dir: folder of the run.
    """
    named = {f"{i:04d}": w for i, w in enumerate(model.get_weights())}
    path = run_dir / WEIGHTS
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, token_ids=token_ids, **named)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def has_bundle_weights(run_dir: pathlib.Path) -> bool:
    """Whether a folder is one of a run on a bundle that kept its weights."""
    return (run_dir / WEIGHTS).is_file()


def read_bundle_weights(
    run_dir: pathlib.Path,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Reads `weights.npz`.

    Returns:
        The preset's token id of each embedding row, and all weights.

    Raises:
        ValueError: when the file is damaged.
    """
    path = run_dir / WEIGHTS
    try:
        # NumPy leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream) as file:
            token_ids = file["token_ids"]
            weights = [file[f"{i:04d}"] for i in range(len(file.files) - 1)]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as e:
        raise ValueError(
            f"{str(path)!r} cannot be read ({e}). Accepted: the file as the "
            "run on a bundle wrote it."
        ) from e
    return token_ids, weights


def load_bundle_model(run_dir: pathlib.Path, dtype: str | None = None) -> Any:
    """Builds the full model, tokenizer included, of a run on a bundle.

    The preset gives the tokenizer and the embedding rows that the run did not
    train; they are as they were, exactly so when the bundle was exact.

    Args:
        run_dir: folder of the run.
        dtype: str or None, a policy in place of the run's.

    Returns:
        `DLFATextClassifier` or `DLFATokenClassifier` with its preprocessor.

    Raises:
        ValueError: when `weights.npz` is damaged or does not fit the model.
        ConnectionError, FileNotFoundError: when the preset is not at hand.
    """
    token_ids, weights = read_bundle_weights(run_dir)
    model = build_model(read_config(str(run_dir)), dtype)
    small = compact_model(model, token_ids)
    small.set_weights(weights)
    write_back(model, small, token_ids)
    return model
