"""Files of a task of the user's -> examples, by its patterns and columns."""

import pathlib
from collections.abc import Sequence
from typing import Any

from dlfa_tf import words
from dlfa_tf.data import formats
from dlfa_tf.data import readers
from dlfa_tf.data import row_columns
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.readers import Examples
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.readers import TextExample
from dlfa_tf.data.task import COLUMNS
from dlfa_tf.data.task import Task

# Endings that say how a file is packed, tried where none is named.
_PACKED = ("", *text_lines.OPENERS)
# Formats whose columns have names, and no order.
_NAMED = ("jsonl", "parquet")


def find_file(
    folder: pathlib.Path, task: Task, split: str, language: str
) -> pathlib.Path:
    """Finds the one file of a split and language, packed or not.

    Raises:
        FileNotFoundError: when there is none; names what was looked for and
            what the folder holds. Also when the file has rows of several
            languages or splits, and none of these.
        ValueError: when there are several, of two formats or packed as well;
            when rows are of a language or split that is not known.
    """
    wanted = [
        pattern.format(split=split, language=language)
        for pattern in task.files[split]
    ]
    names = [x + ending for x in wanted for ending in _PACKED]
    found = [folder / x for x in names if text_lines.exists(folder / x)]
    if len(found) > 1:
        raise ValueError(
            f"Two files of split {split!r} for language {language!r}. "
            f"Received: {', '.join(str(x) for x in found)}. Accepted: one; "
            "move the others away, or name one in [files] of the task file."
        )
    if found:
        row_columns.check_rows(found[0], task, split, language)
        return found[0]
    held = (
        sorted(path.name for path in folder.iterdir())[:12]
        if folder.is_dir()
        else "nothing: there is no such folder"
    )
    raise FileNotFoundError(
        f"No {split} file for language {language!r} in {str(folder)!r}. "
        f"Expected {' or '.join(wanted)} (or packed, .gz or .bz2). The folder "
        f"begins with: {held}. `data_dir` names another folder; by itself it "
        "is that of the `task` file."
    )


def read_examples(
    path: pathlib.Path,
    task: Task,
    labels: Sequence[str] | None,
    language: str = "",
    split: str = "",
) -> Any:
    """Reads a file of a task.

    Args:
        path: the file.
        task: whose `columns`, `header` and `file_format` say how to read it.
        labels: names accepted; None takes any, as where the training data
            have to say what there is.
        language: str, code of the language, for CoNLL-U and for files with
            rows of several languages.
        split: str, for files with rows of several splits.

    Returns:
        list of `TextExample`, `PairExample` or `TaggedSentence`.

    Raises:
        ValueError: for a file without examples, a row or column that is not
            there, an empty text, an unknown label; with file and line.
    """
    if task.is_tagging:
        return _read_sentences(path, task, labels, language, split)
    return _read_texts(path, task, labels, language, split)


def _read_texts(
    path: pathlib.Path,
    task: Task,
    labels: Sequence[str] | None,
    language: str,
    split: str,
) -> Examples:
    names = COLUMNS[task.kind]
    kind = task.file_format or formats.kind_of(path)
    columns: dict[str, str | int] = {
        name: name if kind in _NAMED else number
        for number, name in enumerate(names, start=1)
    }
    examples: list[Any] = []
    for line, values in formats.read_rows(
        path, columns | dict(task.columns), kind=kind, header=task.header
    ):
        if not row_columns.is_of(values, split, language):
            continue
        *texts, label = (values[name] for name in names)
        if any(map(words.is_blank, texts)):
            raise ValueError(
                f"{path}, line {line}: a text is empty. Received: {texts!r}. "
                f"Accepted: {', '.join(names)}, none of them empty."
            )
        label = _checked(label, labels, path, line)
        examples.append(
            TextExample(texts[0], label)
            if task.kind == "single"
            else PairExample(texts[0], texts[1], label)
        )
    return examples


def _read_sentences(
    path: pathlib.Path,
    task: Task,
    labels: Sequence[str] | None,
    language: str,
    split: str,
) -> list[TaggedSentence]:
    kind = task.file_format or formats.kind_of(path)
    places: dict[str, Any] = {}
    if "tag" in task.columns:
        places = {"tag_column": task.columns["tag"]}
        if kind != "conllu":
            places["word_column"] = task.columns["word"]
    sentences = []
    read = formats.read_sentences(path, kind=kind, language=language, **places)
    if row_columns.columns_of(task):
        read = row_columns.sentences_of(path, task, read, split, language)
    for line, found, tags in read:
        if tags is None:
            raise ValueError(
                f"{path}, line {line}: words without tags. Received: "
                f"{found[:5]}. Accepted: words and their tags."
            )
        checked = tuple(_checked(x, labels, path, line) for x in tags)
        sentences.append(TaggedSentence(found, checked))
    return sentences


def _checked(
    label: str, labels: Sequence[str] | None, path: pathlib.Path, line: int
) -> str:
    if labels is not None:
        return readers.checked_label(label, labels, path, line)
    if words.is_blank(label):
        raise ValueError(
            f"{path}, line {line}: the label is empty. Accepted: a name."
        )
    return label
