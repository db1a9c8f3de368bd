"""TSV, CSV and JSON lines -> rows of named columns, one at a time."""

import csv
import json
import os
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from dlfa_tf import checks
from dlfa_tf import words
from dlfa_tf.data.formats import text_lines

# Characters of a received value that an error message shows.
SHOWN = 80

Path = str | os.PathLike[str]
# Our name of a column -> its name in the file, or its number from 1.
Columns = Mapping[str, str | int]


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: int, from 1, the line on which it begins; in Parquet its number.
        values: dict, texts by our names of the columns.
    """

    line: int
    values: dict[str, str]


def tsv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields line number and fields of every row; blank lines are none."""
    for number, line in text_lines.read_lines(path):
        if not words.is_blank(line):
            yield number, words.split_tabs(line)


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields first line and fields of every row of a CSV file (RFC 4180).

    A quoted field may hold commas, quotes (doubled) and line ends.
    """
    lines = text_lines.read_lines(path, keep_ends=True)
    reader = csv.reader((text for _, text in lines), strict=True)
    start = 1
    try:
        for fields in reader:
            if fields and not all(map(words.is_blank, fields)):
                yield start, fields
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {start}: not a row of CSV ({error}). Accepted: "
            "fields separated by commas; a field with commas, quotes or line "
            'ends in quotes ("), those inside doubled.'
        ) from error


def choose_fields(
    path: Path,
    rows: Iterable[tuple[int, list[str]]],
    columns: Columns,
    header: bool,
    optional: Collection[str] = (),
) -> Iterator[Row]:
    """Names the fields of rows.

    With `header` the first row has the names. All rows must be as wide as the
    first. A column of `optional` may be missing in the file.
    """
    width = 0
    places: dict[str, int] = {}
    for number, fields in rows:
        if not width:
            width = len(fields)
            names = [words.strip_space(x) for x in fields] if header else None
            places = _places(path, number, names, width, columns, optional)
            if header:
                continue
        if len(fields) != width:
            raise ValueError(
                f"{path}, line {number}: expected {width} columns, as in the "
                f"first row. Received: {len(fields)}: "
                f"{' | '.join(fields)[:SHOWN]!r}."
            )
        yield Row(
            number,
            {k: words.strip_space(fields[i]) for k, i in places.items()},
        )


def _places(
    path: Path,
    line: int,
    names: Sequence[str] | None,
    width: int,
    columns: Columns,
    optional: Collection[str],
) -> dict[str, int]:
    """Where in a row each wanted column stands, from 0."""
    places = {}
    for key, column in columns.items():
        if isinstance(column, int):
            found = column - 1 if 1 <= column <= width else None
        elif names is None:
            raise ValueError(
                f"{path}: column {column!r} ({key}) is asked for by name, but "
                "the file is read without a header. Accepted: its number, "
                "from 1, or a file whose first line has the names."
            )
        else:
            found = names.index(column) if column in names else None
        if found is not None:
            places[key] = found
        elif key not in optional:
            raise ValueError(
                f"{path}, line {line}: no column {column!r} ({key}). "
                + missing_column(column, names, width)
            )
    return places


def missing_column(
    column: str | int, names: Sequence[str] | None, width: int
) -> str:
    """Says which columns there are, and the nearest name."""
    if names is None or isinstance(column, int):
        return f"Accepted: numbers from 1 to {width}." + (
            f" Their names: {list(names)}." if names else ""
        )
    return f"Accepted: {list(names)}." + checks.nearest_hint(column, names)


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields line number and object of every line of JSON lines."""
    for number, line in text_lines.read_lines(path):
        if words.is_blank(line):
            continue
        try:
            found = json.loads(line)
        except RecursionError:
            found = "nested too deeply"
        except ValueError as error:
            raise ValueError(
                f"{path}, line {number}: not JSON ({error}). Received: "
                f"{line[:SHOWN]!r}. Accepted: an object on every line."
            ) from error
        if not isinstance(found, dict):
            raise ValueError(
                f"{path}, line {number}: expected a JSON object. Received: "
                f"{line[:SHOWN]!r}. Accepted: an object on every line, such as "
                '{"text": "..."}.'
            )
        yield number, found


def choose_values(
    path: Path,
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    columns: Columns,
    optional: Collection[str] = (),
    null_is_empty: bool = False,
) -> Iterator[Row]:
    """Takes texts by name from objects; numbers become texts.

    A value that is missing or null is an error, but for `optional`; with
    `null_is_empty` only one that is missing.
    """
    for number, found in rows:
        values = {}
        for key, column in columns.items():
            value = found.get(str(column))
            if value is None and null_is_empty and str(column) in found:
                value = ""
            if value is None:
                if key in optional:
                    continue
                raise ValueError(missing_value(path, number, column, found))
            values[key] = _text(path, number, str(column), value)
        yield Row(number, values)


def missing_value(
    path: Path, line: int, column: str | int, found: Mapping[str, Any]
) -> str:
    """What to say of an object without the wanted key, or with null there."""
    if str(column) in found:
        problem = f"{column!r} is null. Accepted: a text."
    else:
        problem = f"no value {column!r}. " + missing_column(
            str(column), list(found), len(found)
        )
    return f"{path}, line {line}: {problem}"


def _text(path: Path, line: int, column: str, value: Any) -> str:
    if isinstance(value, str):
        return words.strip_space(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(
        f"{path}, line {line}: {column!r} is no text. Received: "
        f"{str(value)[:SHOWN]!r} of type {type(value).__name__}. Accepted: a "
        "text or a whole number."
    )
