"""Task files: a TOML text -> `Task`, and back to the values it holds.

The definition of a task is also kept in `config.json`, `results.json` and
bundles, as the same values, so that a run is read without its task file.
"""

import dataclasses
import pathlib
import re
import tomllib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from dlfa_tf import checks
from dlfa_tf.data.task import COLUMNS
from dlfa_tf.data.task import FORMATS
from dlfa_tf.data.task import KINDS
from dlfa_tf.data.task import ROW_COLUMNS
from dlfa_tf.data.task import SCHEMES
from dlfa_tf.data.task import SCORES
from dlfa_tf.data.task import SPLITS
from dlfa_tf.data.task import Task
from dlfa_tf.options import MIN_SEQUENCE_LENGTH

SUFFIX = ".toml"
FROM_DATA = "from the training data"
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_LANGUAGE = re.compile(r"[A-Za-z][\w-]*")
_TEXT, _TEXTS, _WHOLE, _NUMBER, _BOOL = (
    "a text", "a list of texts", "a whole number", "a number", "true or false",
)  # fmt: skip
# Table of the file ("" is the top) -> key -> (field of `Task`, its type).
_FIELDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "": {
        "name": ("name", _TEXT),
        "aliases": ("aliases", _TEXTS),
        "kind": ("kind", _TEXT),
        "labels": ("labels", _TEXTS),
        "score": ("score", _TEXT),
        "scheme": ("scheme", _TEXT),
        "source_languages": ("source_languages", _TEXTS),
        "target_languages": ("target_languages", _TEXTS),
        "parallel": ("parallel", _BOOL),
    },
    "files": {
        "folder": ("folder", _TEXT),
        "other_folder": ("other_folder", _TEXT),
        "train": ("files", _TEXTS),
        "dev": ("files", _TEXTS),
        "test": ("files", _TEXTS),
        "format": ("file_format", _TEXT),
        "header": ("header", _BOOL),
    },
    "sample": {
        "folder": ("sample_folder", _TEXT),
        "tag_column": ("sample_tag_column", _WHOLE),
    },
    "tfds": {
        "train": ("tfds_train", _TEXT),
        "evaluation": ("tfds_evaluation", _TEXT),
    },
    "limits": {
        "sequence_length": ("sequence_length", _WHOLE),
        "train_examples": ("train_limit", _WHOLE),
        "eval_examples": ("eval_limit", _WHOLE),
    },
    "training": {
        "epochs": ("epochs", _WHOLE),
        "learning_rate": ("learning_rate", _NUMBER),
        "batch_size": ("batch_size", _WHOLE),
        "dev_every": ("dev_every", _WHOLE),
        "weight_decay": ("weight_decay", _NUMBER),
        "adam_epsilon": ("adam_epsilon", _NUMBER),
        "clip_norm": ("clip_norm", _NUMBER),
        "report_split": ("report_split", _TEXT),
    },
}
_TABLES = (*(x for x in _FIELDS if x), "columns", "recipes")
# Sets that are not the user's to have.
_OWN_TABLES = ("files", "columns", "limits", "training", "recipes")
_NEEDED = ("name", "kind", "labels", "score", "target_languages")
_LEAST = {"sequence_length": MIN_SEQUENCE_LENGTH}

Where = Callable[[str, str], str]


def read_task_file(path: pathlib.Path) -> Task:
    """Reads a task file.

    Raises:
        FileNotFoundError: when there is none.
        ValueError: when it is no TOML or no task, with file and line, what
            is accepted, and the nearest name.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"The task file {str(path)!r} does not exist. Accepted: a TOML "
            "file; `trainers.prepare --new_task=DIR` writes a first one."
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not valid UTF-8 ({error.reason} at byte {error.start}). "
            "Accepted: UTF-8 text."
        ) from error
    # A number of thousands of digits, or brackets as many, are no TOML either.
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: no TOML ({error}). Accepted: lines such as "
            'name = "intents" and tables such as [files]; see docs/own_task.md.'
        ) from error

    def where(table: str, key: str) -> str:
        line = _line_of(text, table, key)
        return f"{path}, line {line}" if line else str(path)

    task = task_from_values(values, where)
    return dataclasses.replace(task, home=str(path.parent))


def task_from_values(
    values: Mapping[str, Any], where: Where = lambda table, key: "The task"
) -> Task:
    """Makes a task of the values of a task file, as TOML or JSON has them.

    `where` says where a key of a table stands, for messages. ValueError as for
    `read_task_file`.
    """
    fields: dict[str, Any] = {}
    for table, keys in _tables(values, where).items():
        if table == "columns":
            fields["columns"] = dict(keys)
        elif table == "recipes":
            fields["recipes"] = {name: dict(x) for name, x in keys.items()}
        else:
            fields.update(_table_fields(table, keys, where))
    missing = [key for key in _NEEDED if key not in values]
    if missing:
        raise ValueError(
            f"{where('', '')}: {', '.join(f'`{x}`' for x in missing)} missing. "
            f"Received: {sorted(values)}. Accepted: at least "
            f"{', '.join(_NEEDED)}."
        )
    fields.setdefault("files", dict(_defaults()["files"]))
    fields["files"] |= _files_of_rows(fields, values.get("files", {}))
    task = Task(**fields)
    _check_task(task, where)
    return task


def _files_of_rows(
    fields: Mapping[str, Any], named: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Patterns of splits that no key names, where columns say whose rows are.

    With a column of splits those of the training data.
    """
    columns = fields.get("columns", {})
    found = {}
    for split in SPLITS:
        if split in named:
            continue
        if "split" in columns and "train" in named:
            found[split] = fields["files"]["train"]
        elif "language" in columns:
            found[split] = ("{split}.tsv",)
    return found


def task_to_values(task: Task) -> dict[str, Any]:
    """The values that `task_from_values` reads back; plain, for JSON.

    What has its default is left out.
    """
    values: dict[str, Any] = {}
    defaults = _defaults()
    for table, keys in _FIELDS.items():
        found = {}
        for key, (field, _) in keys.items():
            value, default = getattr(task, field), defaults.get(field)
            if field == "files":
                value, default = value[key], default and default[key]
            if value == default and key not in _NEEDED:
                continue
            found[key] = list(value) if isinstance(value, tuple) else value
        if not table:
            found["labels"] = found["labels"] or FROM_DATA
            values.update(found)
        elif found:
            values[table] = found
    if task.columns:
        values["columns"] = dict(task.columns)
    if task.recipes:
        values["recipes"] = {k: dict(v) for k, v in task.recipes.items()}
    return values


def _defaults() -> dict[str, Any]:
    found = {}
    for field in dataclasses.fields(Task):
        if field.default is not dataclasses.MISSING:
            found[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
    return found


def _line_of(text: str, table: str, key: str) -> int:
    """Number of the line of a key, of its table, or 0."""
    current, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        head = re.match(r"\s*\[\s*([\w.\"'-]+)\s*\]", line)
        if head:
            current = head[1]
            if current in (table, key) and not start:
                start = number
        found = re.match(r"\s*[\"']?([\w.-]+)[\"']?\s*=", line)
        if found and current == table and found[1] == key:
            return number
    return start


def _tables(
    values: Mapping[str, Any], where: Where
) -> dict[str, Mapping[str, Any]]:
    """The tables of a file by name, "" for the top; refuses unknown keys."""
    top = _FIELDS[""]
    for key, value in values.items():
        if key not in top and key not in _TABLES:
            raise ValueError(
                f"{where('', key)}: unknown key. Received: {key!r}. Accepted: "
                f"{', '.join([*top, *(f'[{x}]' for x in _OWN_TABLES)])}."
                + checks.nearest_hint(key, [*top, *_OWN_TABLES])
            )
        if (key in _TABLES) != isinstance(value, Mapping):
            wanted = f"a table [{key}]" if key in _TABLES else top[key][1]
            raise _wrong(where("", key), key, value, wanted)
    tables = {"": {k: v for k, v in values.items() if k in top}}
    return tables | {k: v for k, v in values.items() if k in _TABLES}


def _table_fields(
    table: str, keys: Mapping[str, Any], where: Where
) -> dict[str, Any]:
    """Fields of `Task` from one table."""
    fields: dict[str, Any] = {}
    for key, value in keys.items():
        if key not in _FIELDS[table]:
            raise ValueError(
                f"{where(table, key)}: unknown key of [{table}]. Received: "
                f"{key!r}. Accepted: {', '.join(_FIELDS[table])}."
                + checks.nearest_hint(key, _FIELDS[table])
            )
        field, kind = _FIELDS[table][key]
        if key == "labels" and isinstance(value, str):
            _check_labels_word(value, where)
            fields["labels"] = ()
            continue
        if field == "files" and isinstance(value, str):
            value = [value]
        _check_type(where(table, key), key, value, kind)
        if field == "files":
            defaults = _defaults()["files"]
            fields.setdefault("files", dict(defaults))[key] = tuple(value)
        else:
            fields[field] = tuple(value) if kind == _TEXTS else value
    return fields


def _check_labels_word(value: str, where: Where) -> None:
    if value != FROM_DATA:
        raise ValueError(
            f"{where('', 'labels')}: `labels` is a text. Received: {value!r}. "
            f'Accepted: a list of names, or "{FROM_DATA}".'
        )


def _check_type(place: str, key: str, value: Any, kind: str) -> None:
    fits = {
        _TEXT: isinstance(value, str) and bool(value or key == "folder"),
        _TEXTS: isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(x, str) and x for x in value),
        _WHOLE: type(value) is int and value >= _LEAST.get(key, 1),
        _NUMBER: type(value) in (int, float) and 0 <= value < float("inf"),
        _BOOL: isinstance(value, bool),
    }[kind]
    if not fits:
        if kind == _WHOLE:
            kind = f"a whole number, {_LEAST.get(key, 1)} or more"
        elif kind == _NUMBER:
            kind = "a number, 0 or more"
        elif kind == _TEXTS:
            kind = "a list of texts, none of them empty, at least one"
        raise _wrong(place, key, value, kind)


def _wrong(place: str, key: str, value: Any, wanted: str) -> ValueError:
    return ValueError(
        f"{place}: `{key}` is of the wrong kind. Received: {value!r}. "
        f"Accepted: {wanted}."
    )


def _check_task(task: Task, where: Where) -> None:
    """Refuses what does not fit each other, or is no name."""
    _check_choice(where("", "kind"), "kind", task.kind, KINDS)
    _check_choice(where("", "score"), "score", task.score, SCORES)
    fitting = [x for x, kinds in SCORES.items() if task.kind in kinds]
    if task.score not in fitting:
        raise ValueError(
            f"{where('', 'score')}: `score` does not fit the kind "
            f"{task.kind!r}. Received: {task.score!r}. Accepted: "
            f"{', '.join(fitting)}."
        )
    if not _NAME.fullmatch(task.name):
        raise ValueError(
            f"{where('', 'name')}: `name` is no name. Received: "
            f"{task.name!r}. Accepted: letters, digits, and . _ + - after the "
            "first, because folders are called so."
        )
    _check_languages(task, where)
    _check_labels(task, where)
    _check_columns(task, where)
    _check_files(task, where)
    _check_choice(
        where("training", "report_split"),
        "report_split",
        task.report_split,
        ("test", "dev"),
    )
    if task.epochs < 1 or task.learning_rate <= 0 or task.batch_size < 1:
        raise ValueError(
            f"{where('training', 'learning_rate')}: `learning_rate` must be "
            f"above 0. Received: {task.learning_rate}."
        )


def _check_choice(place: str, key: str, value: str, accepted: Any) -> None:
    if value not in accepted:
        raise ValueError(
            f"{place}: `{key}` is unknown. Received: {value!r}. Accepted: "
            f"{', '.join(accepted)}." + checks.nearest_hint(value, accepted)
        )


def _check_languages(task: Task, where: Where) -> None:
    for key in ("source_languages", "target_languages"):
        languages = getattr(task, key)
        wrong = [x for x in languages if not _LANGUAGE.fullmatch(x)]
        if wrong or len(set(languages)) != len(languages):
            raise ValueError(
                f"{where('', key)}: `{key}` must be different codes. "
                f"Received: {wrong or list(languages)}. Accepted: letters, "
                'digits, - and _, such as "de" or "zh-Hant".'
            )


def _check_labels(task: Task, where: Where) -> None:
    place = where("", "labels")
    if task.scheme is not None:
        _check_choice(where("", "scheme"), "scheme", task.scheme, SCHEMES)
    if (task.scheme is not None) != (task.score == "chunk_f1"):
        raise ValueError(
            f"{where('', 'scheme' if task.scheme else 'score')}: `scheme` "
            f"and `score` do not fit. Received: scheme={task.scheme!r}, "
            f"score={task.score!r}. Accepted: one of {', '.join(SCHEMES)} "
            "with chunk_f1, none with another score."
        )
    if task.labels:
        check_labels(task, place)


def check_labels(task: Task, place: str) -> None:
    """Refuses labels that are fewer than two, alike, or not of the scheme.

    `place` says where they come from. ValueError.
    """
    labels = task.label_names
    alike = sorted({x for x in labels if labels.count(x) > 1})
    if alike or len(labels) < 2:
        raise ValueError(
            f"{place}: `labels` must be two or more, all different. Received: "
            f"{alike or list(labels)}."
        )
    broken = [x for x in labels if re.search(r"[\t\r\n]", x) or x.strip() != x]
    if broken:
        raise ValueError(
            f"{place}: `labels` may have no TAB or line end, nor a space at "
            f"either end: files of labels have one a line. Received: {broken}."
        )
    if task.score in ("chunk_f1", "ner_f1"):
        scheme = task.scheme or "IOB2"
        prefixes = SCHEMES[scheme]
        wrong = [
            x
            for x in labels
            if x != "O" and not (x[:1] in prefixes and x[1:2] == "-" and x[2:])
        ]
        if wrong:
            raise ValueError(
                f"{place}: `labels` are not of the scheme {scheme}. Received: "
                f"{wrong[:12]}. Accepted: O, and "
                f"{', '.join(f'{x}-TYPE' for x in prefixes)}; for tags without "
                "prefixes the score pos_f1 or token_accuracy."
            )


def _check_files(task: Task, where: Where) -> None:
    for split, patterns in task.files.items():
        for pattern in patterns:
            rest = re.sub(r"\{(split|language)\}", "", pattern)
            for key in ROW_COLUMNS:
                if key in task.columns and f"{{{key}}}" in pattern:
                    raise ValueError(
                        f"{where('files', split)}: {{{key}}} in a pattern and "
                        f"a column `{key}` say the same twice. Received: "
                        f"{pattern!r} and {task.columns[key]!r}. Accepted: one "
                        "of them."
                    )
            has_language = "language" in task.columns
            if (
                "{" in rest
                or "}" in rest
                or not (has_language or "{language}" in pattern)
            ):
                raise ValueError(
                    f"{where('files', split)}: a pattern needs {{language}} "
                    "and has no other braces but {split}. Received: "
                    f'{pattern!r}. Accepted: such as "{{split}}-{{language}}'
                    '.csv"; or, for rows of several languages in one file, '
                    "their column as `language` in [columns]."
                )
    if task.file_format is not None:
        _check_choice(
            where("files", "format"), "format", task.file_format, FORMATS
        )


def _check_columns(task: Task, where: Where) -> None:
    of_kind = COLUMNS[task.kind]
    accepted = (*of_kind, *ROW_COLUMNS)
    for name, column in task.columns.items():
        place = where("columns", name)
        if name not in accepted:
            raise ValueError(
                f"{place}: unknown key of [columns] for kind {task.kind!r}. "
                f"Received: {name!r}. Accepted: {', '.join(accepted)}."
                + checks.nearest_hint(name, accepted)
            )
        if not (type(column) is int and column >= 1) and not (
            isinstance(column, str) and column
        ):
            raise _wrong(
                place, name, column, "a name, or a number counted from 1"
            )
    named = set(task.columns) & set(of_kind)
    if named and named != set(of_kind):
        raise ValueError(
            f"{where('columns', '')}: [columns] names some columns only. "
            f"Received: {', '.join(task.columns)}. Accepted: all of "
            f"{', '.join(of_kind)}, or none of them; with them "
            f"{', '.join(ROW_COLUMNS)} where files have rows of several."
        )
