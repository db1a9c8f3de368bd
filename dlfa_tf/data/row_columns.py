"""Files of several languages or splits: columns that say whose a row is."""

import collections
import functools
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from dlfa_tf import checks
from dlfa_tf.data import formats
from dlfa_tf.data.formats import Sentence
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.task import ROW_COLUMNS
from dlfa_tf.data.task import SPLITS
from dlfa_tf.data.task import Task

# What others call the splits.
SPLIT_NAMES = {
    "train": "train", "training": "train",
    "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev",
    "test": "test", "testing": "test",
}  # fmt: skip
# Formats whose sentences are rows.
_OF_SENTENCES = ("jsonl", "parquet")


def columns_of(task: Task) -> dict[str, str | int]:
    """The columns that say language and split, those that the task names."""
    return {x: task.columns[x] for x in ROW_COLUMNS if x in task.columns}


def is_of(values: Mapping[str, str], split: str, language: str) -> bool:
    """Whether a row's values of `columns_of` are those of split and language.

    Any, where the task names no such column.
    """
    return values.get("language", language) == language and (
        "split" not in values
        or SPLIT_NAMES.get(values["split"].casefold()) == split
    )


def sentences_of(
    path: pathlib.Path,
    task: Task,
    sentences: Iterable[Sentence],
    split: str,
    language: str,
) -> Iterator[Sentence]:
    """Yields the sentences of a split and language, of all those of a file.

    ValueError for a format of a word per line, which has no such columns.
    """
    kind = _kind(path, task)
    if kind not in _OF_SENTENCES:
        raise ValueError(
            f"{path}: [columns] {', '.join(columns_of(task))} need a format "
            f"whose rows are sentences. Received: {kind!r}. Accepted: "
            f"{', '.join(_OF_SENTENCES)}, or a file for every language."
        )
    rows = formats.read_rows(path, columns_of(task), kind=kind)
    for sentence in sentences:
        # Rows without words are no sentences.
        row = next(x for x in rows if x.line == sentence.line)
        if is_of(row.values, split, language):
            yield sentence


def check_rows(
    path: pathlib.Path, task: Task, split: str, language: str
) -> None:
    """Refuses a file that has no row of a split and language.

    Raises:
        FileNotFoundError: when it has none; says which it has.
        ValueError: for a row of a language that is none of the task's, or of
            an unknown split, with file and line; for a malformed file.
    """
    if not columns_of(task):
        return
    counts = _counts(path, task, text_lines.changed_at(path))
    has_split, has_language = (x in task.columns for x in ("split", "language"))
    if not counts[split if has_split else "", language if has_language else ""]:
        found = sorted(
            x if has_language else s
            for s, x in counts
            if s in ("", split) or not has_language
        )
        raise FileNotFoundError(
            f"No {split} rows for language {language!r} in {str(path)!r}. "
            f"Rows are there for {found}."
        )


# Every language of every split asks.
@functools.lru_cache(maxsize=32)
def _counts(
    path: pathlib.Path, task: Task, changed: int
) -> collections.Counter[tuple[str, str]]:
    """Rows by split and language, "" for what no column says."""
    columns = columns_of(task)
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    for line, values in formats.read_rows(
        path, columns, kind=_kind(path, task), header=task.header
    ):
        language, split = values.get("language"), values.get("split")
        if language is not None and language not in task.languages:
            raise ValueError(
                f"{path}, line {line}: a language that is none of the task's. "
                f"Received: {language!r} in column {columns['language']!r}. "
                f"Accepted: {', '.join(task.languages)}, as source_languages "
                "and target_languages say."
                + checks.nearest_hint(language, task.languages)
            )
        name = "" if split is None else SPLIT_NAMES.get(split.casefold())
        if name is None:
            raise ValueError(
                f"{path}, line {line}: an unknown split. Received: {split!r} "
                f"in column {columns['split']!r}. Accepted: "
                f"{', '.join(SPLIT_NAMES)}."
                + checks.nearest_hint(str(split), SPLITS)
            )
        counts[name, language or ""] += 1
    return counts


def _kind(path: pathlib.Path, task: Task) -> str:
    return task.file_format or formats.kind_of(path)
