"""Parquet -> rows, by pyarrow, a batch at a time."""

import contextlib
import json
import pathlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from dlfa_tf.data.formats.tables import Path

_ROWS_AT_ONCE = 4096


def parquet_rows(
    path: Path, columns: Sequence[str] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields number (from 1) and values of every row.

    `columns` are the ones to read, those that the file lacks left out; None
    reads all. Numbers of labels become names where Hugging Face's `datasets`
    has left the names in the file. ImportError where pyarrow is not installed,
    ValueError for what is not Parquet.
    """
    with _opened(path) as file:
        names = file.schema_arrow.names
        wanted = (
            names if columns is None else [x for x in columns if x in names]
        )
        labels = _label_names(file)
        number = 0
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=wanted):
            for row in batch.to_pylist():
                number += 1
                for name in labels.keys() & row.keys():
                    row[name] = _named(row[name], labels[name])
                yield number, row


def parquet_names(path: Path) -> list[str]:
    """The columns of a file."""
    with _opened(path) as file:
        return list(file.schema_arrow.names)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        # Of the packages that this one needs, only pandas asks for it.
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f"{path}: Parquet files are read by the package `pyarrow`, which "
            "is not installed. Accepted: `pip install pyarrow`, or the data as "
            ".jsonl, .csv or .tsv."
        ) from error
    # pyarrow names no file in its errors.
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(f"The file {str(path)!r} does not exist.")
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path}: not a Parquet file ({error}).") from error
    with file:
        yield file


def _label_names(file: Any) -> dict[str, list[str]]:
    """Names of labels by column, as Hugging Face's `datasets` notes them."""
    note = (file.schema_arrow.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(note or b"{}")["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    found = {}
    for name, feature in features.items():
        inner = feature
        if isinstance(feature, dict) and "feature" in feature:
            inner = feature["feature"]
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
            found[name] = list(inner["names"])
    return found


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(x, names) for x in value]
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    # -1 stands for a label that is not given.
    return None if value == -1 else value
