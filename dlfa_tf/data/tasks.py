"""The four tasks of the paper, and tasks of files."""

import dataclasses
import os
import pathlib

from dlfa_tf import checks
from dlfa_tf import files
from dlfa_tf.data import task_file
from dlfa_tf.data.task import Task

# The languages of the sample that this project ships, for every task.
SAMPLE_LANGUAGES = ("ar", "de", "el", "en", "es", "fr", "hi", "ru", "zh")
_FOLDER = pathlib.Path(__file__).parent / "task_definitions"

# As XTREME's tables order them.
TASKS: dict[str, Task] = {
    name: dataclasses.replace(
        task_file.read_task_file(_FOLDER / f"{name}{task_file.SUFFIX}"),
        # The data are elsewhere.
        home=None,
    )
    for name in ("xnli", "pawsx", "ner", "pos")
}
UPOS_TAGS = TASKS["pos"].label_names
NER_TAGS = TASKS["ner"].label_names
# What XTREME and others call the tasks.
ALIASES = {alias: x.name for x in TASKS.values() for alias in x.aliases}
# The value that stands for a task of the user's in lists of names.
OWN = "FILE.toml"


def get_task(name: str) -> Task:
    """Returns the task of the paper called `name`.

    Raises:
        ValueError: when there is no such task; the nearest name is offered.

    Example:
        >>> from dlfa_tf.data import get_task
        >>> get_task("xnli").labels
        ('contradiction', 'entailment', 'neutral')
    """
    if name in TASKS:
        return TASKS[name]
    raise ValueError(
        f"`task` is unknown. Received: {name!r}. Accepted: {sorted(TASKS)}, "
        f"or a task file, {OWN}."
        + checks.nearest_hint(ALIASES.get(str(name).casefold(), name), TASKS)
    )


def is_task_file(text: str) -> bool:
    """Whether the value of a flag means a task file, there or not."""
    is_path = isinstance(text, (str, bytes, os.PathLike))
    return is_path and os.fsdecode(text).endswith(task_file.SUFFIX)


def find_task(text: str) -> Task:
    """Returns the task of a name or of a task file.

    Args:
        text: str, a name in `TASKS`, or the path of a TOML file.

    Raises:
        TypeError: when it is neither str nor a path.
        ValueError: for an unknown name, a malformed file, or a file whose
            task is called as one of the paper's.
        FileNotFoundError: when there is no such file.

    Example:
        import pathlib

        from dlfa_tf.data import find_task

        pathlib.Path("reviews.toml").write_text(
            chr(10).join(  # a line each
                (
                    "name = 'reviews'",
                    "kind = 'single'",
                    "labels = ['bad', 'good']",
                    "score = 'accuracy'",
                    "target_languages = ['de']",
                )
            )
        )
        find_task("reviews.toml").languages  # ("de", "en")
    """
    if not isinstance(text, (str, bytes, os.PathLike)):
        raise TypeError(
            f"`task` must be a name or a path. Received: {text!r:.120} of type "
            f"{type(text).__name__}. Accepted: {sorted(TASKS)}, or a task "
            f"file, {OWN}."
        )
    if not is_task_file(text):
        return get_task(os.fsdecode(text))
    path = files.user_path(text, "task")
    task = task_file.read_task_file(path)
    taken = {**{name: name for name in TASKS}, **ALIASES}
    if task.name in taken:
        raise ValueError(
            f"{path}: `name` is that of one of the paper's tasks, whose "
            f"published scores tables set beside it. Received: {task.name!r}. "
            f"Accepted: any but {', '.join(taken)}."
        )
    outside = [
        x for x in ("sample_folder", "tfds_train", "tfds_evaluation")
        if getattr(task, x) is not None
    ]  # fmt: skip
    if outside:
        raise ValueError(
            f"{path}: [sample] and [tfds] are for the paper's tasks. Accepted: "
            "[files]."
        )
    return task


def check_task_name(text: str) -> None:
    """Refuses a value of `--task` that is neither a name nor a file."""
    if is_task_file(text):
        find_task(text)
    else:
        get_task(text)


def task_of_config(config: dict) -> Task:
    """The task of the settings in `config.json`, `results.json` or a bundle.

    Args:
        config: dict with `task` and, for a task of the user's, `definition`.

    Raises:
        ValueError: for an unknown task without a definition.
    """
    if config.get("definition") is not None:
        return task_file.task_from_values(config["definition"])
    return get_task(config["task"])
