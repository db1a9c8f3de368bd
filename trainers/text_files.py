"""Lines of text files, plain or compressed, as bytes."""

import bz2
import contextlib
import gzip
import pathlib
import zlib
from collections.abc import Iterator
from typing import Any

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}


@contextlib.contextmanager
def open_lines(path: str) -> Iterator[Iterator[bytes]]:
    """Opens a file; yields its lines with their ends.

    Args:
        path: str, file; its ending says how it is compressed: `.gz`, `.bz2`.

    Raises:
        OSError: at once, when the file cannot be opened.
        ValueError: when it is damaged; names file and line.
    """
    opener = _OPENERS.get(pathlib.PurePath(path).suffix, open)
    with opener(path, "rb") as file:
        yield _lines(file, path)


def _lines(file: Any, path: str) -> Iterator[bytes]:
    number = 0
    try:
        for line in file:
            number += 1
            yield line
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{path}: damaged after line {number} ({error}). Accepted: plain "
            "text, gzip (.gz) and bzip2 (.bz2)."
        ) from error
