"""Text files, plain or compressed: lines as bytes, output written aside."""

import contextlib
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import TextIO

from dlfa_tf import files
from dlfa_tf import words
from dlfa_tf.data.formats import text_lines


@contextlib.contextmanager
def open_lines(path: str) -> Iterator[Iterator[bytes]]:
    """Opens a file; yields its lines with their ends.

    A byte order mark at the beginning is left out. Names say how files are
    packed as they do for data, see `text_lines.open_bytes`. OSError at once
    when the file cannot be opened, ValueError when it begins as something else
    than UTF-8 text, and with file and line when it is damaged.
    """
    with text_lines.open_bytes(path) as file:
        yield without_mark(_lines(file, path))


def without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file or stream, without a byte order mark before them."""
    mark = words.BYTE_ORDER_MARK.encode()
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix(mark)


@contextlib.contextmanager
def create_text(path: str) -> Iterator[TextIO]:
    """Opens a UTF-8 file that is there under its name only when complete.

    A path that ends in `.gz` or `.bz2` is compressed. An existing file of that
    name is replaced; callers refuse it first. OSError at once when the folder
    cannot be written to, ValueError for a zip file.
    """
    target = pathlib.Path(path)
    ending = target.suffix.lower()
    if ending in text_lines.PACKED and ending not in text_lines.OPENERS:
        raise ValueError(
            f"A {ending} file is read, and not written. Received: {path!r}. "
            "Accepted: a name for plain text, or one that ends in .gz or .bz2."
        )
    opener: Any = text_lines.OPENERS.get(ending, open)
    with files.written_aside(target) as temporary:
        with opener(temporary, "wt", encoding="utf-8") as file:
            yield file


def _lines(file: Any, path: str) -> Iterator[bytes]:
    number = 0
    try:
        for line in file:
            if not number and (other := text_lines.what_else(line)):
                raise ValueError(
                    f"{path} is no UTF-8 text.{other} Accepted: UTF-8, plain "
                    "or packed."
                )
            number += 1
            yield line
    except text_lines.DAMAGED as error:
        raise ValueError(
            f"{path}: damaged after line {number} ({error}). Accepted: plain "
            "text, gzip (.gz), bzip2 (.bz2) and zip files."
        ) from error
