"""A first task file for a folder of data: what it seems to hold, with comments.

Guesses only, from the names of files and the first rows; the file says what to
look at.
"""

import collections
import dataclasses
import itertools
import json
import os
import pathlib
import re
from collections.abc import Sequence

from dlfa_tf import files
from dlfa_tf.data import formats
from dlfa_tf.data import task_examples
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.row_columns import SPLIT_NAMES
from dlfa_tf.data.task import COLUMNS
from dlfa_tf.data.task import SCHEMES
from dlfa_tf.data.task import SPLITS
from dlfa_tf.data.task import Task

FILE = "task.toml"
_LABELS = (
    "label", "labels", "intent", "rating", "class", "category", "sentiment",
    "stars", "gold_label", "target", "score", "y",
)  # fmt: skip
_IDS = ("id", "idx", "index", "guid", "pairid")
# What columns that say whose a row is are called.
_ROW_COLUMNS = {
    "language": ("language", "lang", "locale", "language_code", "lang_code"),
    "split": ("split", "partition", "subset", "fold"),
}
# Parts of a file's name, and those that may be codes: de, pt-BR, zh_Hant.
_PART = re.compile(r"[^/._-]+")
_LANGUAGE = re.compile(
    r"(?<![^/._-])[a-z]{2,3}(?:[-_][A-Z][A-Za-z]{1,3})?(?![^/._-])"
)
_ENOUGH = 1000
_SHOWN = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """A file of data: split, language, and the pattern of such files.

    Where columns say these, several stand for one file; `columns` names them.
    """

    path: pathlib.Path
    split: str
    language: str
    pattern: str
    columns: tuple[tuple[str, str], ...] = ()


def write_new_task(folder: str | os.PathLike[str]) -> pathlib.Path:
    """Looks at a folder and writes `task.toml` into it.

    Args:
        folder: folder of data files.

    Returns:
        Path of the file.

    Raises:
        FileNotFoundError: when there is no folder, or no file whose name or
            columns say split and language.
        FileExistsError: when it has a task file.
        ValueError: when its training file cannot be read.
    """
    folder = files.user_path(folder, "new_task")
    if not folder.is_dir():
        raise FileNotFoundError(
            f"`new_task` is no folder. Received: {str(folder)!r}. Accepted: a "
            "folder of data files."
        )
    target = folder / FILE
    if target.exists():
        raise FileExistsError(
            f"{target} exists and is never overwritten. Accepted: a folder "
            "without it."
        )
    found = find_files(folder)
    task = guess_task(folder, found)
    files.write_text(target, describe(task, _labels(folder, task), found))
    return target


def find_files(folder: pathlib.Path) -> list[Found]:
    """Files whose names say split and language, those of one form each.

    Where no training file's name does: files whose columns say it.

    Args:
        folder: folder of data files, looked through to any depth.

    Returns:
        list of `Found`, sorted by their paths.

    Raises:
        FileNotFoundError: when there are none.
        ValueError: when a file whose columns are asked cannot be read.
    """
    paths = [x for x in sorted(folder.rglob("*")) if _is_data(x)]
    names = [x.relative_to(folder).as_posix() for x in paths]
    found = [
        Found(path=path, split=said[0], language=said[1], pattern=said[2])
        for path, name in zip(paths, names, strict=True)
        if (said := _read_name(name))
    ]
    if not any(x.split == "train" for x in found):
        found = [
            x
            for path, name in zip(paths, names, strict=True)
            for x in _read_columns(path, name)
        ]
        forms = collections.Counter(x.columns for x in found)
        for form, _ in forms.most_common(1):
            found = [x for x in found if x.columns == form]
    if not any(x.split == "train" for x in found):
        held = sorted(path.name for path in folder.iterdir())[:_SHOWN]
        raise FileNotFoundError(
            f"{str(folder)!r} has no training file whose name says split and "
            f"language. Received: {held}. Accepted: names such as "
            "train-en.tsv, en/train.jsonl, test.de.csv.gz; or columns called "
            f"{', '.join(_ROW_COLUMNS['language'])}, and for one file of all "
            f"splits {', '.join(_ROW_COLUMNS['split'])}."
        )
    # Of several forms the one that most languages have.
    chosen = []
    for split in SPLITS:
        of_split = [x for x in found if x.split == split]
        counts = collections.Counter(x.pattern for x in of_split)
        if counts:
            best = counts.most_common(1)[0][0]
            chosen += [x for x in of_split if x.pattern == best]
    return chosen


def _is_data(path: pathlib.Path) -> bool:
    try:
        formats.kind_of(path)
    except ValueError:
        return False
    return path.is_file()


def _read_columns(path: pathlib.Path, name: str) -> list[Found]:
    """Splits and languages that the columns of a file say, if they do."""
    kind = formats.kind_of(path)
    if kind in ("conll", "conllu"):
        return []
    there = formats.column_names(path, kind)
    columns = {
        key: column
        for key, names in _ROW_COLUMNS.items()
        for column in there
        if column.lower() in names
    }
    splits = [x for x in _PART.findall(name) if x.lower() in SPLIT_NAMES]
    if len(splits) == 1:
        columns.pop("split", None)
    if "language" not in columns or len(splits) != ("split" not in columns):
        return []
    pairs = {
        (
            SPLIT_NAMES.get(x.values.get("split", *splits).lower()),
            x.values["language"],
        )
        for x in formats.read_rows(path, columns, kind=kind)
    }
    return [
        Found(
            path=path,
            split=split,
            language=language,
            pattern=_unpacked(name),
            columns=tuple(columns.items()),
        )
        for split, language in sorted(pairs, key=str)
        if split is not None and language
    ]


def _unpacked(name: str) -> str:
    while pathlib.PurePath(name).suffix in text_lines.OPENERS:
        name = name[: name.rindex(".")]
    return name


def _read_name(name: str) -> tuple[str, str, str] | None:
    """Split, language and pattern of a file's name, as far as it says them."""
    packed = _unpacked(name)
    stem, ending = packed[: packed.rindex(".")], packed[packed.rindex(".") :]
    splits = [x for x in _PART.finditer(stem) if x[0].lower() in SPLIT_NAMES]
    languages = [
        x for x in _LANGUAGE.finditer(stem) if x[0].lower() not in SPLIT_NAMES
    ]
    if len(splits) != 1 or not languages:
        return None
    last = languages[-1]
    pattern = f"{stem[: last.start()]}{{language}}{stem[last.end() :]}{ending}"
    return SPLIT_NAMES[splits[0][0].lower()], last[0], pattern


def guess_task(folder: pathlib.Path, found: Sequence[Found]) -> Task:
    """The task that the files seem to be of; its labels are not looked up.

    Args:
        folder: folder of data files.
        found: its files, as `find_files` gives them.

    Returns:
        `Task` without labels.

    Raises:
        ValueError: when the training file cannot be read.
    """
    by_split = {
        split: [x.language for x in found if x.split == split]
        for split in SPLITS
    }
    languages = {x.language for x in found}
    train = next(x for x in found if x.split == "train")
    sources = tuple(x for x in by_split["train"] if x in by_split["dev"])
    sources = sources or tuple(by_split["train"])
    # One language is what zero-shot transfer starts from.
    first = ("en",) if "en" in sources else sources[:1]
    kind, columns = _kind_and_columns(train.path)
    columns |= dict(train.columns)
    none = "none.tsv" if train.columns else "none-{language}.tsv"
    patterns = {x.split: (x.pattern,) for x in found}
    task = Task(
        name=re.sub(r"[^A-Za-z0-9_.+-]+", "-", folder.resolve().name).strip("-")
        or "task",
        kind=kind,
        labels=(),
        score="token_accuracy" if kind == "tagging" else "accuracy",
        source_languages=first,
        target_languages=tuple(sorted(languages - set(first))) or first,
        files={split: patterns.get(split, (none,))
               for split in SPLITS},
        columns=columns,
    )  # fmt: skip
    if kind == "tagging":
        tags = _labels(folder, task)
        scheme = _scheme(tags)
        if scheme:
            task = dataclasses.replace(task, score="chunk_f1", scheme=scheme)
    return task


def _kind_and_columns(path: pathlib.Path) -> tuple[str, dict[str, str | int]]:
    form = formats.kind_of(path)
    if form in ("conll", "conllu") or (form == "tsv" and _has_blanks(path)):
        return "tagging", {}
    names = formats.column_names(path, form)
    if {"words", "tags"} <= set(names) or {"tokens", "ner_tags"} <= set(names):
        if "words" in names:
            return "tagging", {}
        return "tagging", {"word": "tokens", "tag": "ner_tags"}
    label = next((x for x in names if x.lower() in _LABELS), None)
    if form in ("tsv", "csv") and label is None:
        # No names: the label stands last, as in the benchmark's files.
        kind = "pair" if len(names) > 2 else "single"
        return kind, {
            name: number for number, name in enumerate(COLUMNS[kind], start=1)
        }
    others = {*_IDS, *_ROW_COLUMNS["language"], *_ROW_COLUMNS["split"]}
    names = [x for x in names if x.lower() not in others] or names
    label = label or names[-1]
    texts = [x for x in names if x != label]
    kind = "pair" if len(texts) > 1 else "single"
    chosen = [*texts[: 2 if kind == "pair" else 1], label]
    return kind, dict(zip(COLUMNS[kind], chosen, strict=True))


def _has_blanks(path: pathlib.Path) -> bool:
    """Whether blank lines separate sentences."""
    lines = itertools.islice(text_lines.read_lines(path), _ENOUGH)
    texts = [text for _, text in lines]
    return any(not text for text in texts[1:-1])


def _labels(folder: pathlib.Path, task: Task) -> list[str]:
    language = task.source_languages[0]
    path = task_examples.find_file(folder, task, "train", language)
    counts: collections.Counter[str] = collections.Counter()
    for example in task_examples.read_examples(
        path, task, None, language, "train"
    ):
        counts.update(example.tags if task.is_tagging else [example.label])
    return sorted(counts)


def _scheme(tags: Sequence[str]) -> str | None:
    """The scheme that all tags are of, with as few prefixes as can be."""
    for scheme, prefixes in SCHEMES.items():
        if "O" in tags and all(
            x == "O" or (x[:1] in prefixes and x[1:2] == "-") for x in tags
        ):
            return scheme
    return None


def describe(task: Task, labels: Sequence[str], found: Sequence[Found]) -> str:
    """The text of a task file, with comments.

    Args:
        task: `Task`, as `guess_task` gives it.
        labels: names of the labels, in order.
        found: the files that it was guessed from.

    Returns:
        str, TOML.
    """
    counts = {
        split: sorted(x.language for x in found if x.split == split)
        for split in SPLITS
    }
    lines = [
        "# A first guess from the names of files and the first rows; read it",
        "# through. docs/own_task.md has all keys.",
        f"name = {json.dumps(task.name)}",
        f"kind = {json.dumps(task.kind)}  # single, pair or tagging",
        f"# In the training data: {', '.join(labels[:_SHOWN])}"
        + (f" and {len(labels) - _SHOWN} more." if labels[_SHOWN:] else "."),
        "# A list here fixes them, and their order.",
        'labels = "from the training data"',
        f"score = {json.dumps(task.score)}",
    ]
    if task.scheme:
        lines.append(f"scheme = {json.dumps(task.scheme)}")
    lines += [
        "# To train on and to choose weights on; the others are evaluated on.",
        f"source_languages = {json.dumps(list(task.source_languages))}",
        f"target_languages = {json.dumps(list(task.target_languages))}",
        "# true where row i of dev and test is the same text everywhere.",
        "parallel = false",
        "",
        "# Below --data_dir or, without it, the folder of this file.",
        "[files]",
    ]
    for split in SPLITS:
        if counts[split]:
            lines.append(
                f"{split} = {json.dumps(task.files[split][0])}  "
                f"# {', '.join(counts[split])}"
            )
        else:
            lines.append(f'# {split} = "..."  # found none')
    if task.columns:
        lines += ["", "# By name, or by number from 1.", "[columns]"]
        lines += [f"{k} = {json.dumps(v)}" for k, v in task.columns.items()]
    lines += [
        "",
        "[limits]",
        f"sequence_length = {task.sequence_length}  # pieces per row",
        "",
    ]
    return "\n".join(lines)
