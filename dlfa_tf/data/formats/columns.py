"""A word per line, in columns: CoNLL's form, and the benchmark's own.

Columns are separated by TAB, or by spaces in a line without any TAB. Blank
lines separate sentences. Lines that begin with `-DOCSTART-` are none, nor
are comments before the first word of a sentence (`words.is_comment`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from dlfa_tf import words
from dlfa_tf.data.formats import tables
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.formats.tables import SHOWN
from dlfa_tf.data.formats.tables import Path

LAST = "last"


class Sentence(NamedTuple):
    """Words of a sentence with their tags.

    Attributes:
        line: int, from 1, of the first word; in JSON lines that of the object,
            in Parquet the number of the row.
        words: tuple of str, none of them empty.
        tags: tuple of str, as many, or None where the file has none.
    """

    line: int
    words: tuple[str, ...]
    tags: tuple[str, ...] | None


def column_sentences(
    path: Path,
    word_column: str | int = 1,
    tag_column: str | int | None = LAST,
) -> Iterator[Sentence]:
    """Yields the sentences of a file of words in columns.

    Columns are numbers from 1, or names that stand in the first line. The tag
    is in the last column unless told otherwise; `tag_column=None` reads none,
    and a file of one column has none.
    """
    width = find_width(path)
    places: tuple[int, int | None] | None = None
    with_header = isinstance(word_column, str) or (
        isinstance(tag_column, str) and tag_column != LAST
    )
    start = 0
    found: list[str] = []
    tags: list[str] = []

    def sentence() -> Sentence:
        has_tags = places is not None and places[1] is not None
        return Sentence(start, tuple(found), tuple(tags) if has_tags else None)

    for number, line in text_lines.read_lines(path):
        if words.is_blank_row(line) or line.startswith(words.DOCUMENT_START):
            if found:
                yield sentence()
                found, tags = [], []
            continue
        if not found and words.is_comment(line, width):
            continue
        fields = words.split_columns(line)
        if len(fields) != width:
            raise ValueError(_wrong_width(path, number, line, fields, width))
        if places is None:
            names = fields if with_header else None
            places = _places(
                path, number, names, width, word_column, tag_column
            )
            if with_header:
                continue
        word = words.strip_space(fields[places[0]])
        if not word:
            raise ValueError(
                f"{path}, line {number}: the word is empty. Received: "
                f"{line[:SHOWN]!r}. Accepted: a word and its columns, or a "
                "blank line."
            )
        start = start if found else number
        found.append(word)
        if places[1] is not None:
            tags.append(words.strip_space(fields[places[1]]))
    if found:
        yield sentence()


def find_width(path: Path) -> int:
    """The number of columns of a file: of the first line that is no comment."""
    first = ""
    for _, line in text_lines.read_lines(path):
        if words.is_blank_row(line) or line.startswith(words.DOCUMENT_START):
            continue
        first = first or line
        if not line.startswith("#"):
            first = line
            break
    return len(words.split_columns(first))


def _places(
    path: Path,
    number: int,
    names: list[str] | None,
    width: int,
    word_column: str | int,
    tag_column: str | int | None,
) -> tuple[int, int | None]:
    """Where word and tag stand in a line, from 0."""
    tag: int | None = None
    if tag_column == LAST:
        tag = width - 1 if width > 1 else None
    elif tag_column is not None:
        tag = _place(path, number, names, width, tag_column)
    return _place(path, number, names, width, word_column), tag


def _place(
    path: Path,
    number: int,
    names: list[str] | None,
    width: int,
    column: str | int,
) -> int:
    if isinstance(column, int) and 1 <= column <= width:
        return column - 1
    if names and column in names:
        return names.index(str(column))
    raise ValueError(
        f"{path}, line {number}: no column {column!r}. "
        + tables.missing_column(column, names, width)
    )


def _wrong_width(
    path: Path, number: int, line: str, fields: list[str], width: int
) -> str:
    return (
        f"{path}, line {number}: expected {width} column(s) separated by TAB, "
        "or by spaces, as in the lines before, or a blank line. Received: "
        f"{len(fields)} column(s): {line[:SHOWN]!r}."
    )
