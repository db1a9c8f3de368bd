"""Prediction files in XTREME's form: written, and scored without a model."""

import pathlib
import re
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from dlfa_tf import files
from dlfa_tf import metrics
from dlfa_tf import words
from dlfa_tf.data import readers
from dlfa_tf.data import task_labels
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import Task
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.scoring import score

# Folder names of XTREME's submissions and labels.
XTREME_FOLDERS = {
    name: task.other_folder or task.folder for name, task in TASKS.items()
}
_FILE_NAME = re.compile(r"(train|dev|test)-([a-z]{2})\.tsv(\.gz)?")
_OWN_FILE_NAME = re.compile(r"(train|dev|test)-([A-Za-z][\w-]*)\.tsv(\.gz)?")


def write_predictions(
    run_dir: pathlib.Path, split: str, language: str, predicted: list[Any]
) -> None:
    """Writes `predictions/{split}-{language}.tsv`.

    Pairs: one label per line. Tagging: one tag per line, a blank line after
    every sentence (XTREME's form of a submission).
    """
    lines = []
    for item in predicted:
        if isinstance(item, list):
            lines += [*item, ""]
        else:
            lines.append(item)
    path = run_dir / "predictions" / f"{split}-{language}.tsv"
    files.write_text(path, "\n".join(lines) + "\n")


def score_folders(
    predictions_dir: str,
    labels_dir: str,
    split: str = "test",
    languages: Sequence[str] | None = None,
    task: Task | None = None,
) -> dict[str, dict[str, Any]]:
    """Scores every task of a folder of predictions, or one.

    The folder has `xnli/`, `pawsx/`, `panx/`, `udpos/` (or `udpos_fused/`),
    any of them; in each `{split}-{lang}.tsv` with one label per line, for
    tagging one tag per line and a blank line between sentences. So has the
    folder of gold labels, where the last of several columns is the label.

    With a `task` only that one is scored. A task of the user's has its files
    in a folder of its name or, where there is none, in `predictions_dir`
    itself; gold labels are such files or the task's data, as its definition
    says; labels "from the training data" are looked for there, then beside the
    task file.

    Languages are those that have predictions (None), those given, which every
    task must have, or `("all",)` of each task. Gives for each task `languages`
    (scores by language), `averages` and `missing_languages` (of the benchmark,
    not in the predictions). FileNotFoundError where something is missing;
    ValueError for a malformed file, an unknown label, or numbers that differ.
    """
    predictions_dir = str(files.user_path(predictions_dir, "predictions_dir"))
    labels_dir = str(files.user_path(labels_dir, "labels_dir"))
    for name, folder in (
        ("predictions_dir", predictions_dir),
        ("labels_dir", labels_dir),
    ):
        if not pathlib.Path(folder).is_dir():
            raise FileNotFoundError(
                f"`{name}` does not exist. Received: {folder!r}. Accepted: a "
                f"folder with {_accepted(task)}."
            )
    if task is not None and task.name not in TASKS:
        return {
            task.name: _score_own(
                task, predictions_dir, labels_dir, split, languages
            )
        }
    results = {}
    for each in TASKS.values() if task is None else (task,):
        predictions = _task_folder(predictions_dir, each)
        if predictions is None:
            continue
        labels = _task_folder(labels_dir, each)
        if labels is None:
            raise FileNotFoundError(
                f"No labels for task {each.name!r} in {labels_dir!r}. "
                f"Accepted: a folder {' or '.join(_folder_names(each))} in it."
            )
        chosen = _chosen(predictions, each, split, languages)

        def read_gold(
            language: str, task: Task = each, folder: pathlib.Path = labels
        ) -> list[Any]:
            return _read_labels(folder, task, split, language)

        results[each.name] = _score_task(
            each, predictions, labels, split, chosen, read_gold
        )
    if not results:
        raise FileNotFoundError(
            f"No task folder in {predictions_dir!r}. Accepted: "
            f"{_accepted(task)}."
        )
    return results


def _accepted(task: Task | None) -> list[str]:
    if task is None:
        return sorted(set(XTREME_FOLDERS.values()))
    if task.name in TASKS:
        return _folder_names(task)
    return [task.name, "or its files themselves"]


def _score_own(
    task: Task,
    predictions_dir: str,
    labels_dir: str,
    split: str,
    languages: Sequence[str] | None,
) -> dict[str, Any]:
    """Scores a task of the user's."""
    predictions, labels = (
        pathlib.Path(folder) / task.name
        if (pathlib.Path(folder) / task.name).is_dir()
        else pathlib.Path(folder)
        for folder in (predictions_dir, labels_dir)
    )
    task = _with_labels(task, labels_dir)
    chosen = _chosen(predictions, task, split, languages)

    def read_gold(language: str) -> list[Any]:
        if _is_label_file(labels, split, language):
            return _read_labels(labels, task, split, language)
        source = Source(task=task, name="files", data_dir=labels_dir)
        return score.gold_labels(task, source.load(split, language))

    return _score_task(task, predictions, labels, split, chosen, read_gold)


def _with_labels(task: Task, labels_dir: str) -> Task:
    """The task with the labels of training data, where they decide."""
    try:
        return task_labels.with_labels(task, labels_dir)
    except FileNotFoundError:
        if task.home is None:
            raise
        return task_labels.with_labels(task, None)


def _is_label_file(folder: pathlib.Path, split: str, language: str) -> bool:
    """Whether there is a file of one column; data have two or more."""
    try:
        path = readers.find_file(folder, split, language)
    except FileNotFoundError:
        return False
    for _, line in text_lines.read_lines(path):
        if not words.is_blank(line):
            return "\t" not in line
    return True


def _read_labels(
    folder: pathlib.Path, task: Task, split: str, language: str
) -> list[Any]:
    path = readers.find_file(folder, split, language)
    return list(readers.read_label_file(path, task.labels, task.kind))


def _folder_names(task: Task) -> list[str]:
    # The data folder first: a data collection may hold `udpos/` as well, with
    # words split otherwise than XTREME's.
    names = [task.folder, XTREME_FOLDERS[task.name]]
    return list(dict.fromkeys(names))


def _task_folder(folder: str, task: Task) -> pathlib.Path | None:
    for name in _folder_names(task):
        if (pathlib.Path(folder) / name).is_dir():
            return pathlib.Path(folder) / name
    return None


def _score_task(
    task: Task,
    predictions: pathlib.Path,
    labels: pathlib.Path,
    split: str,
    languages: Sequence[str],
    read_gold: Callable[[str], list[Any]],
) -> dict[str, Any]:
    by_language = {}
    for language in languages:
        predicted = _read_labels(predictions, task, split, language)
        try:
            gold = read_gold(language)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{predictions} has predictions for the language {language!r}, "
                f"which no labels are there for: {error}"
            ) from error
        try:
            by_language[language] = score.score_labels(task, gold, predicted)
        except ValueError as error:
            raise ValueError(
                f"Task {task.name!r}, language {language!r} ({predictions} "
                f"against {labels}): {error}"
            ) from error
        by_language[language]["split"] = split
    return {
        "languages": by_language,
        "averages": metrics.averages(
            {k: v["score"] for k, v in by_language.items()},
            task.source_languages,
        ),
        "missing_languages": [
            x for x in sorted(task.languages) if x not in by_language
        ],
    }


def _chosen(
    folder: pathlib.Path, task: Task, split: str, asked: Sequence[str] | None
) -> list[str]:
    """Languages to score; refuses one that has no predictions."""
    found = _languages(folder, task, split)
    if asked is None:
        return found
    wanted = sorted(task.languages if tuple(asked) == ("all",) else set(asked))
    missing = [language for language in wanted if language not in found]
    if missing or not wanted:
        raise FileNotFoundError(
            f"{folder}: no {split} predictions for the languages "
            f"{missing or 'of an empty list'}. Accepted for task "
            f"{task.name!r}: {found}."
        )
    return wanted


def _languages(folder: pathlib.Path, task: Task, split: str) -> list[str]:
    """Languages that have a file; refuses two files of one language."""
    found: list[str] = []
    pattern = _FILE_NAME if task.name in TASKS else _OWN_FILE_NAME
    for path in sorted(folder.iterdir()):
        match = pattern.fullmatch(path.name)
        if not match or match[1] != split:
            continue
        if match[2] in found:
            raise ValueError(
                f"{folder}: two {split} files for language {match[2]!r}. "
                "Accepted: .tsv or .tsv.gz, not both."
            )
        if match[2] not in task.languages:
            raise ValueError(
                f"{path}: task {task.name!r} has no language {match[2]!r}. "
                f"Accepted: {sorted(task.languages)}."
            )
        found.append(match[2])
    if not found:
        raise FileNotFoundError(
            f"{folder}: no file named {split}-XX.tsv (or .tsv.gz). Accepted: "
            "a folder of such files, XX being a language."
        )
    return found
