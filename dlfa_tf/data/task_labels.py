"""Labels of a task that are those of its training data."""

import dataclasses
import functools
import pathlib

from dlfa_tf.data import task_examples
from dlfa_tf.data import task_file
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import Task


def with_labels(
    task: Task, data_dir: str | None, source_languages: tuple[str, ...] = ()
) -> Task:
    """Returns the task with label names, which the training data may decide.

    Args:
        task: `Task`; one with `labels` is returned as it is.
        data_dir: folder of its files; None is that of its task file.
        source_languages: languages to look at. Defaults to the task's.

    Raises:
        FileNotFoundError: when there are no training data.
        ValueError: when they are malformed, or their labels are no labels of
            the task's score.
    """
    if task.labels:
        return task
    source = Source(task=task, name="files", data_dir=data_dir)
    found: set[str] = set()
    languages = source_languages or task.source_languages
    for language in languages:
        path = source.file("train", language)
        found |= _labels_in(path, task, language, text_lines.changed_at(path))
    task = dataclasses.replace(task, labels=tuple(sorted(found)))
    task_file.check_labels(task, f"Training data of {', '.join(languages)}")
    return task


# A sweep asks for every run it plans.
@functools.lru_cache(maxsize=32)
def _labels_in(
    path: pathlib.Path, task: Task, language: str, changed: int
) -> frozenset[str]:
    found: set[str] = set()
    for example in task_examples.read_examples(
        path, task, None, language, "train"
    ):
        if task.is_tagging:
            found.update(example.tags)
        else:
            found.add(example.label)
    return frozenset(found)
