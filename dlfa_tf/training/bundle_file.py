"""One file of arrays and plain values, checked when it is read.

The file is a `.npz` of NumPy arrays without pickles; the plain values are a
JSON text in an array of bytes. A hash over all content tells bundles apart
and finds damage.
"""

import hashlib
import json
import os
import pathlib
from typing import Any

import numpy as np

from dlfa_tf import files

SCHEMA = 1
_META = "meta"


def write_bundle_file(
    path: str | os.PathLike[str],
    meta: dict[str, Any],
    arrays: dict[str, np.ndarray],
) -> str:
    """Writes a bundle aside, renames it and returns the hash of its content.

    The hash is 64 hexadecimal digits. `meta` are plain values. FileExistsError
    when the file exists; OSError when the disk does not take it, and nothing is
    left then.
    """
    path = check_new(path)
    text = json.dumps(meta, sort_keys=True)
    digest = _digest(text, arrays)
    head = json.dumps({"schema": SCHEMA, "sha256": digest, "meta": text})
    path.parent.mkdir(parents=True, exist_ok=True)
    named = {_META: np.frombuffer(head.encode(), np.uint8), **arrays}
    with files.written_aside(path, durable=True) as temporary:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **named)  # type: ignore[arg-type]
    return digest


def check_new(path: str | os.PathLike[str]) -> pathlib.Path:
    """Refuses to overwrite a file, with FileExistsError.

    Args:
        path: file to write, as users write paths.

    Returns:
        Path.

    Raises:
        FileExistsError: when there is something of that name.
        OSError: when its folder cannot be made, or written to.
        TypeError, ValueError: when it is no path.
    """
    found = files.user_path(path, "bundle")
    if os.path.lexists(found):
        raise FileExistsError(
            f"The bundle {str(path)!r} exists and is never overwritten. "
            "Accepted: a new file name."
        )
    files.check_can_be_made(found.parent, "bundle", found)
    return found


def read_bundle_meta(
    path: str | os.PathLike[str],
) -> tuple[str, dict[str, Any]]:
    """Reads hash and plain values only, which takes milliseconds.

    FileNotFoundError when there is no such file; ValueError when it is no
    bundle, or one of another version.
    """
    path = _existing(path)
    try:
        # NumPy leaves a file open that it opened and cannot read.
        with path.open("rb") as stream, np.load(stream) as file:
            return _read_head(file, path)
    except files.BROKEN_NPZ as error:
        raise _broken(path, error) from error


def read_bundle_file(
    path: str | os.PathLike[str],
) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """Reads a bundle and checks its hash.

    Returns hash, plain values and arrays by name. FileNotFoundError when there
    is no such file; ValueError when it is no bundle, is cut off or was altered.
    """
    path = _existing(path)
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            digest, meta = _read_head(file, path)
            arrays = {name: file[name] for name in file if name != _META}
            text = json.dumps(meta, sort_keys=True)
    except files.BROKEN_NPZ as error:
        raise _broken(path, error) from error
    if _digest(text, arrays) != digest:
        raise ValueError(
            f"The bundle {str(path)!r} is damaged: its content does not have "
            "the hash that was written with it. Copy or make it again."
        )
    return digest, meta, arrays


def _read_head(file: Any, path: pathlib.Path) -> tuple[str, dict[str, Any]]:
    head = json.loads(file[_META].tobytes())
    if head["schema"] != SCHEMA:
        raise ValueError(
            f"schema {head['schema']!r} is not the one that this version "
            f"reads, {SCHEMA}"
        )
    return head["sha256"], json.loads(head["meta"])


def _existing(path: str | os.PathLike[str]) -> pathlib.Path:
    path = files.user_path(path, "bundle")
    if not path.is_file():
        raise FileNotFoundError(
            f"The bundle {str(path)!r} does not exist. Accepted: a file that "
            "`trainers.prepare --bundle=FILE` wrote."
        )
    return path


def _broken(path: pathlib.Path, error: Exception) -> ValueError:
    return ValueError(
        f"{str(path)!r} is no bundle that can be read ({error}). Accepted: a "
        "whole file as `trainers.prepare --bundle=FILE` wrote it."
    )


def _digest(text: str, arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.descr} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
