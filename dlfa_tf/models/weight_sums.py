"""A check sum inside a file of weights: HDF5 has none of its own.

It is an attribute of the file, which Keras does not look at.
"""

import contextlib
import os
import pathlib
import re
import zlib
from collections.abc import Iterator

import h5py
import numpy as np

from dlfa_tf import files

_SYSTEM_ERROR = re.compile(r"errno = (\d+), error message = '([^']*)'")
_ATTRIBUTE = "dlfa_crc32"
# What h5py raises for a file that was cut off or altered.
_BROKEN = (
    OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError,
    MemoryError,
)  # fmt: skip


@contextlib.contextmanager
def written(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields a path to save weights to, which gets its real name in the end.

    The sum is added. What was there before is kept when there is an error.
    """
    path = files.user_path(path, "filepath")
    # Keras looks at the end of the name.
    suffix = "".join(path.suffixes[-2:])
    with disk_errors(), files.written_aside(path, suffix=suffix) as temporary:
        yield temporary
        add(temporary)


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turns what HDF5 says of a disk into OSError with the system's number.

    A full disk is a RuntimeError where HDF5 notices it as it closes a file.
    """
    try:
        yield
    except RuntimeError as error:
        found = _SYSTEM_ERROR.search(str(error))
        if not found:
            raise
        raise OSError(int(found[1]), found[2]) from error


def add(path: str | os.PathLike[str]) -> None:
    """Adds the sum of all arrays to a file."""
    with h5py.File(path, "r+") as file:
        file.attrs[_ATTRIBUTE] = _sum(file)


def check(path: str | os.PathLike[str]) -> None:
    """Refuses a file of weights that was cut off or altered.

    A file without a sum, as Keras itself writes it, is only opened.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it cannot be read, or has another sum.
    """
    path = files.user_path(path, "filepath")
    if not path.is_file():
        raise FileNotFoundError(
            f"`filepath` is no file of weights. Received: {str(path)!r}. "
            "Accepted: a file that was saved with weights."
        )
    try:
        with h5py.File(path, "r") as file:
            stored = file.attrs.get(_ATTRIBUTE)
            found = stored if stored is None else _sum(file)
    except _BROKEN as error:
        raise ValueError(
            f"{str(path)!r} cannot be read: {error}. Accepted: the file as it "
            "was saved; copy it or save it again."
        ) from error
    if stored != found:
        raise ValueError(
            f"{str(path)!r} is damaged: its arrays do not have the check sum "
            "that was written with them. Copy it or save it again."
        )


def _sum(file: h5py.File) -> str:
    arrays: list[tuple[str, h5py.Dataset]] = []

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            arrays.append((name, item))

    file.visititems(visit)
    value = 0
    for name, item in sorted(arrays, key=lambda pair: pair[0]):
        array = np.asarray(item[()])
        head = f"{name} {array.dtype.str} {array.shape};"
        value = zlib.crc32(head.encode(), value)
        # Texts are held as pointers.
        is_text = array.dtype.hasobject
        content = repr(array.tolist()).encode() if is_text else array.tobytes()
        value = zlib.crc32(content, value)
    return f"{value:08x}"
