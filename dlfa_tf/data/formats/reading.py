"""Rows and sentences of a file, whatever its format."""

import itertools
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from dlfa_tf import checks
from dlfa_tf import words
from dlfa_tf.data.formats import columns as column_files
from dlfa_tf.data.formats import conllu
from dlfa_tf.data.formats import parquet
from dlfa_tf.data.formats import tables
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.formats.columns import LAST
from dlfa_tf.data.formats.columns import Sentence
from dlfa_tf.data.formats.tables import SHOWN
from dlfa_tf.data.formats.tables import Columns
from dlfa_tf.data.formats.tables import Path
from dlfa_tf.data.formats.tables import Row

# Kind of a file -> endings of its name, before .gz, .bz2 and .zip.
KINDS = {
    "tsv": (".tsv",),
    "csv": (".csv",),
    "jsonl": (".jsonl", ".ndjson"),
    "parquet": (".parquet",),
    "conll": (".conll", ".iob", ".iob2", ".bio"),
    "conllu": (".conllu",),
}
_ROW_KINDS = ("tsv", "csv", "jsonl", "parquet")
_SENTENCE_KINDS = ("tsv", "conll", "conllu", "jsonl", "parquet")


def kind_of(path: Path) -> str:
    """The kind of a file by its ending, one of `KINDS`.

    ValueError for an ending that says nothing.
    """
    name = text_lines.name_unpacked(path).lower()
    for kind, endings in KINDS.items():
        if name.endswith(endings):
            return kind
    known = [ending for endings in KINDS.values() for ending in endings]
    raise ValueError(
        f"{path}: the ending does not say what the file holds. Accepted: "
        f"{', '.join(known)}, packed as {', '.join(text_lines.PACKED)} or not; "
        "or the format named beside it."
    )


def read_rows(
    path: Path,
    columns: Columns,
    *,
    kind: str | None = None,
    header: bool | None = None,
    optional: Collection[str] = (),
    null_is_empty: bool = False,
) -> Iterator[Row]:
    """Yields the rows of a table, one at a time.

    Args:
        path: file, plain or packed; `ARCHIVE.zip/MEMBER` for a member.
        columns: mapping from the name that a column gets to its name in the
            file, or (TSV, CSV) to its number, from 1.
        kind: str or None, `tsv`, `csv`, `jsonl` or `parquet`. Defaults to
            `None`: by the ending.
        header: bool or None, whether the first row of TSV or CSV holds names.
            Defaults to `None`: it does where a column is asked for by name.
        optional: names that the file may lack (labels of a test file, say);
            such a row lacks the key. Defaults to `()`.
        null_is_empty: bool, whether null in JSON lines and Parquet is an
            empty text; an error otherwise. Defaults to `False`.

    Returns:
        Iterator of `Row`: line and texts by name, without white space at
        their ends. They may be empty; what that means is the caller's.

    Raises:
        ValueError: with file and line, for what is not of the format, a
            column that is not there, a value that is no text, and a file
            without rows.
        FileNotFoundError: for a file or member that is not there.
        ImportError: for Parquet without pyarrow.
    """
    kind = _checked_kind(path, kind, _ROW_KINDS)
    if kind in ("tsv", "csv"):
        if header is None:
            header = any(isinstance(x, str) for x in columns.values())
        rows = tables.tsv_rows(path) if kind == "tsv" else tables.csv_rows(path)
        found = tables.choose_fields(path, rows, columns, header, optional)
    else:
        found = tables.choose_values(
            path,
            _objects(path, kind, columns.values()),
            columns,
            optional,
            null_is_empty,
        )
    return _not_empty(path, found, "rows")


def read_sentences(
    path: Path,
    *,
    word_column: str | int | None = None,
    tag_column: str | int | None = LAST,
    kind: str | None = None,
    joined: bool = True,
    language: str = "",
) -> Iterator[Sentence]:
    """Yields the sentences of a file, one at a time.

    Args:
        path: file, plain or packed; `ARCHIVE.zip/MEMBER` for a member.
        word_column: the words. CoNLL and TSV: a number, from 1, or a name of
            the first line; JSON lines and Parquet: the name of a list of
            texts. Defaults to `None`: `1`, or `"words"`.
        tag_column: the tags, likewise; in CoNLL-U one of its columns' names.
            None reads none. Defaults to `"last"`: the last column if there
            are several; `"tags"` where it is there; `"upos"`.
        kind: str or None, `tsv`, `conll`, `conllu`, `jsonl` or `parquet`.
            Defaults to `None`: by the ending.
        joined: bool, whether CoNLL-U's multiword tokens are one word, as in
            the benchmark, or several. Defaults to `True`.
        language: str, code that chooses the tag of a joined word between
            equals. Defaults to `""`.

    Returns:
        Iterator of `Sentence`: line, words, and tags or None.

    Raises:
        ValueError: with file and line, for what is not of the format, an empty
            word, numbers of words and tags that differ, and a file without
            sentences.
        FileNotFoundError: for a file or member that is not there.
        ImportError: for Parquet without pyarrow.
    """
    kind = _checked_kind(path, kind, _SENTENCE_KINDS)
    if kind == "conllu":
        column = "upos" if tag_column in (LAST, None) else str(tag_column)
        found: Iterable[Sentence] = conllu.conllu_sentences(
            path, joined=joined, language=language, tag_column=column
        )
        if tag_column is None:
            found = (x._replace(tags=None) for x in found)
    elif kind in ("tsv", "conll"):
        found = column_files.column_sentences(
            path, word_column or 1, tag_column
        )
    else:
        found = _listed(path, kind, str(word_column or "words"), tag_column)
    return _not_empty(path, found, "sentences")


def column_names(
    path: Path, kind: str | None = None, header: bool = True
) -> list[str]:
    """Names of the columns of a table, by its first row or object.

    Numbers from 1, as texts, for TSV and CSV without `header`.
    """
    kind = _checked_kind(path, kind, _ROW_KINDS)
    if kind == "parquet":
        return parquet.parquet_names(path)
    if kind == "jsonl":
        return [
            key for _, found in _first(tables.json_rows(path)) for key in found
        ]
    rows = tables.tsv_rows(path) if kind == "tsv" else tables.csv_rows(path)
    for _, fields in _first(rows):
        names = [words.strip_space(x) for x in fields]
        return names if header else [str(i + 1) for i in range(len(names))]
    return []


def _first(rows: Iterable[Any]) -> Iterable[Any]:
    return itertools.islice(rows, 1)


def _checked_kind(
    path: Path, kind: str | None, accepted: tuple[str, ...]
) -> str:
    found = kind_of(path) if kind is None else kind
    if kind is not None:
        checks.check_choice("kind", kind, tuple(KINDS))
    if found not in accepted:
        raise ValueError(
            f"{path}: the format {found!r} does not hold what is read here. "
            f"Accepted: {', '.join(accepted)}."
        )
    return found


def _objects(
    path: Path, kind: str, columns: Collection[str | int]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if kind == "parquet":
        return parquet.parquet_rows(path, list(map(str, columns)))
    return tables.json_rows(path)


def _listed(
    path: Path, kind: str, word_column: str, tag_column: str | int | None
) -> Iterator[Sentence]:
    """Sentences whose words and tags are lists in objects."""
    column = "tags" if tag_column == LAST else str(tag_column)
    wanted = [word_column] + ([] if tag_column is None else [column])
    for number, found in _objects(path, kind, wanted):
        texts = _texts(path, number, word_column, found)
        if not all(texts):
            raise ValueError(
                f"{path}, line {number}: word {texts.index('') + 1} is empty. "
                f"Received: {str(found[word_column])[:SHOWN]}. Accepted: words."
            )
        has_tags = tag_column is not None and (
            tag_column != LAST or found.get(column) is not None
        )
        tags = _texts(path, number, column, found) if has_tags else None
        if tags is not None and len(tags) != len(texts):
            raise ValueError(
                f"{path}, line {number}: {word_column!r} and {column!r} must "
                f"be equally long. Received: {len(texts)} and {len(tags)}, "
                f"beginning with {texts[:5]}."
            )
        if texts:
            yield Sentence(
                number, tuple(texts), None if tags is None else tuple(tags)
            )


def _texts(
    path: Path, line: int, column: str, found: Mapping[str, Any]
) -> list[str]:
    value = found.get(column)
    if value is None:
        raise ValueError(tables.missing_value(path, line, column, found))
    if not isinstance(value, list) or not all(
        isinstance(x, str) for x in value
    ):
        raise ValueError(
            f"{path}, line {line}: {column!r} is no list of texts. Received: "
            f"{str(value)[:SHOWN]}. Accepted: a list such as ['a', 'dog']."
        )
    return [words.strip_space(x) for x in value]


def _not_empty(path: Path, found: Iterable[Any], what: str) -> Iterator[Any]:
    is_empty = True
    for item in found:
        is_empty = False
        yield item
    if is_empty:
        raise ValueError(f"{path}: the file has no {what}.")
