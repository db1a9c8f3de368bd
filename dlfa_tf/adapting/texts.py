"""Files of text without labels, by language."""

import bz2
import gzip
import itertools
import json
import lzma
import pathlib
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from dlfa_tf import checks

FORMATS = (".txt", ".jsonl", ".parquet")
_COMPRESSED: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_ACCEPTED = (
    "LANGUAGE:FILE, a file called like wiki-de.txt or de.jsonl, or a folder "
    f"of such files; {', '.join(FORMATS)}, the first two also with "
    f"{', '.join(_COMPRESSED)}"
)
# "de", "zh-min-nan" after "LANGUAGE:"; in names of files two or three letters.
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]+)*")
_AT_THE_END = re.compile(r"(?:^|[-._])([a-z]{2,3})$")


def find_texts(texts: Iterable[str]) -> dict[str, list[pathlib.Path]]:
    """Finds the files of `--texts`.

    Args:
        texts: strings: `LANGUAGE:FILE`, a file or a folder. In a folder,
            files of other formats are left out.

    Returns:
        From language, sorted, to its files in the order given; those of a
        folder by name.

    Raises:
        ValueError: when the language of a file is not known, when a file is
            given twice, or when its format is not read.
        FileNotFoundError: when a file is missing or a folder has none.
    """
    found: dict[str, list[pathlib.Path]] = {}
    for given in texts:
        for language, path in _files_of(given):
            if path in itertools.chain(*found.values()):
                raise ValueError(
                    f"`texts` has a file twice. Received: {str(path)!r}. "
                    "Accepted: every file once."
                )
            found.setdefault(language, []).append(path)
    return dict(sorted(found.items()))


def _files_of(given: str) -> Iterator[tuple[str, pathlib.Path]]:
    language, colon, rest = given.partition(":")
    named = bool(colon and _LANGUAGE.fullmatch(language))
    path = pathlib.Path(rest if named else given).expanduser()
    if path.is_dir():
        inside = [
            child
            for child in sorted(path.iterdir())
            if child.is_file() and _format(child) in FORMATS
        ]
        if not inside:
            raise FileNotFoundError(
                f"`texts` names a folder without text. Received: {given!r}. "
                f"Accepted: {_ACCEPTED}."
            )
        for child in inside:
            yield (language if named else _language(child)), child
        return
    if not path.is_file():
        raise FileNotFoundError(
            f"`texts` names a file that is not there. Received: {given!r}. "
            f"Accepted: {_ACCEPTED}."
        )
    if _format(path) not in FORMATS:
        raise ValueError(
            "`texts` names a file whose format is not read. Received: "
            f"{given!r}. Accepted: {_ACCEPTED}."
        )
    yield (language if named else _language(path)), path


def _format(path: pathlib.Path) -> str:
    """Ending of a name, without that of its compression."""
    name = path.with_suffix("") if path.suffix in _COMPRESSED else path
    return name.suffix


def _language(path: pathlib.Path) -> str:
    """Language of a file by the last part of its name."""
    stem = path.name.removesuffix(path.suffix)
    if path.suffix in _COMPRESSED:
        stem = pathlib.PurePath(stem).stem
    match = _AT_THE_END.search(stem)
    if match is None:
        raise ValueError(
            "`texts` names a file whose language is not known. Received: "
            f"{str(path)!r}. Accepted: {_ACCEPTED}."
        )
    return match.group(1)


def read_texts(
    files: Iterable[pathlib.Path],
    *,
    text_column: str = "text",
    limit: int | None = None,
) -> Iterator[str]:
    """Reads the texts of one language, without empty ones.

    Args:
        files: paths, as `find_texts` gives them.
        text_column: str, key or column of the text in JSON lines and Parquet.
        limit: int or None, most texts to read.

    Returns:
        Iterator of strings without line feeds at their ends.

    Raises:
        ValueError: for a line that is no text, naming file and line.
        ImportError: for Parquet without pyarrow.
    """
    texts = itertools.chain.from_iterable(
        _read(path, text_column) for path in files
    )
    full = (text for text in texts if text and not text.isspace())
    return itertools.islice(full, limit)


def _read(path: pathlib.Path, column: str) -> Iterator[str]:
    kind = _format(path)
    if kind == ".parquet":
        return _read_parquet(path, column)
    return _read_lines(path, column if kind == ".jsonl" else None)


def _read_lines(path: pathlib.Path, column: str | None) -> Iterator[str]:
    opener = _COMPRESSED.get(path.suffix, open)
    at = 1
    try:
        # A byte order mark is no text. Only a line feed ends a line: U+2028
        # and its like are white space within one.
        with opener(path, "rt", encoding="utf-8-sig", newline="\n") as file:
            for line in file:
                text = line.rstrip("\r\n")
                yield text if column is None else _json_text(text, column)
                at += 1
    except (ValueError, EOFError, OSError, lzma.LZMAError) as error:
        raise ValueError(f"{path}, line {at}: {error}") from error


def _json_text(line: str, column: str) -> str:
    if not line or line.isspace():
        return ""
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError(
            f"not an object. Received: {line[:60]!r}. Accepted: objects with "
            f"the key {column!r}."
        )
    if column not in value:
        raise ValueError(
            f"no key {column!r}. Received: {sorted(value)}. Accepted: another "
            "`text_column`." + checks.nearest_hint(column, list(value))
        )
    text = value[column]
    if text is None:
        return ""
    if not isinstance(text, str):
        raise ValueError(
            f"{column!r} must be a string. Received: {text!r} of type "
            f"{type(text).__name__}."
        )
    return text


def _read_parquet(path: pathlib.Path, column: str) -> Iterator[str]:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ImportError(
            f"Parquet is read by pyarrow, which is not installed. Received: "
            f"{path}. Accepted: `pip install pyarrow`, or JSON lines."
        ) from error
    with parquet.ParquetFile(path) as file:
        names = file.schema_arrow.names
        if column not in names:
            raise ValueError(
                f"{path}: no column {column!r}. Received: {names}. Accepted: "
                "another `text_column`." + checks.nearest_hint(column, names)
            )
        for batch in file.iter_batches(columns=[column]):
            for text in batch.column(0).to_pylist():
                yield text or ""
