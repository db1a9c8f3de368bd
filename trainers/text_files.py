"""Text files, plain or compressed: lines as bytes, output written aside."""

import contextlib
import pathlib
import zlib
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

    A byte order mark at the beginning is left out. A path that ends in `.gz`
    or `.bz2` is decompressed. OSError at once when the file cannot be opened,
    ValueError with file and line when it is damaged.
    """
    with _opener(path)(path, "rb") as file:
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
    cannot be written to.
    """
    target = pathlib.Path(path)
    with files.written_aside(target) as temporary:
        with _opener(path)(temporary, "wt", encoding="utf-8") as file:
            yield file


def name_unpacked(path: str) -> str:
    """A file's name without the ending that says how it is compressed."""
    name = pathlib.PurePath(path)
    return name.stem if name.suffix in text_lines.OPENERS else name.name


def _opener(path: str) -> Any:
    return text_lines.OPENERS.get(pathlib.PurePath(path).suffix, open)


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
