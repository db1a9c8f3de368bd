"""A folder that a model is saved in: whole, or as it was before."""

import contextlib
import errno
import math
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

from dlfa_tf import files
from dlfa_tf import manifest
from dlfa_tf.models import weight_sums

# Bytes of a number, by the name of its type; four of any other.
_BYTES = {"int8": 1, "uint8": 1, "float16": 2, "bfloat16": 2, "float64": 8}


@contextlib.contextmanager
def written(
    folder: str | os.PathLike[str], model: Any = None
) -> Iterator[pathlib.Path]:
    """Yields a folder to write to, which becomes `folder` in the end.

    A manifest is added. What is in an existing folder stays, but for files of
    the same names; until all are replaced, its manifest says that it is not
    finished. A folder that is itself written aside is yielded as it is. The
    weights of `model` must find room: HDF5 does not end well on a full disk.

    Raises:
        OSError: when the disk does not take it; `folder` is as it was then,
            or says of itself that it is not finished.
    """
    path = files.user_path(folder, "preset_dir").absolute()
    if files.is_unfinished(path):
        with weight_sums.disk_errors():
            yield path
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_free_space(path.parent, model)
        with files.removed_in_the_end(path) as temporary:
            with weight_sums.disk_errors():
                yield temporary
            manifest.write(temporary)
            if path.is_dir():
                _move_into(temporary, path)
            else:
                os.replace(temporary, path)
    except OSError as error:
        raise OSError(
            error.errno or 0,
            f"The model could not be saved in {str(path)!r}: {error}. What "
            "was there before is kept. Accepted: a folder that can be "
            "written, with enough free space; then save once more",
        ) from error


def check_class(folder: pathlib.Path, wanted: str) -> None:
    """Refuses a folder that holds no model of a class, as its config says.

    Classes that are neither of this package nor of keras-hub may be derived
    from it, and are let through.

    Args:
        folder: path, which need not be there.
        wanted: str, registered name of the class.

    Raises:
        FileNotFoundError: when there is no such folder.
        ValueError: when it holds something else.
    """
    name = wanted.rpartition(">")[2]
    accepted = (
        f"Accepted: a folder written by `save_to_preset` of a {name} or of a "
        "task model; of a run, its model/."
    )
    if not folder.is_dir():
        raise FileNotFoundError(
            f"`preset` names no folder. Received: {str(folder)!r}. {accepted}"
        )
    path = folder / "config.json"
    config = files.read_json(path) if path.is_file() else None
    found = config.get("registered_name") if isinstance(config, dict) else None
    if found == wanted or not str(found or "keras_hub>").startswith(
        ("keras_hub>", "dlfa_tf>")
    ):
        return
    what = f"a {found}" if found else "no model"
    raise ValueError(
        f"`preset` holds no {name}. Received: {str(folder)!r}, which holds "
        f"{what}. {accepted}"
    )


def _check_free_space(folder: pathlib.Path, model: Any) -> None:
    weights = getattr(model, "weights", ())
    # Shapes and names of types, without a copy of the values.
    needed = sum(math.prod(w.shape) * _BYTES.get(w.dtype, 4) for w in weights)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"No space left on device: {needed / 1e6:.1f} MB are needed, "
            f"{free / 1e6:.1f} MB are free",
        )


def _move_into(source: pathlib.Path, target: pathlib.Path) -> None:
    """Moves all files of a folder into another one, the manifest last."""
    manifest.write_unfinished(target)
    found = [path for path in sorted(source.rglob("*")) if path.is_file()]
    for path in sorted(found, key=lambda path: path.name == manifest.NAME):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)
