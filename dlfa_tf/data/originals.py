"""XNLI, PAWS-X, PAN-X and UD as their makers ship them -> files of the tasks.

XTREME's script does the same, but leaves the labels of test files out.
"""

import os
import pathlib
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import NamedTuple

from dlfa_tf import files
from dlfa_tf import words
from dlfa_tf.data import original_files
from dlfa_tf.data import ud_treebanks
from dlfa_tf.data.original_files import Found
from dlfa_tf.data.task import SPLITS
from dlfa_tf.data.task import Task
from dlfa_tf.types import Say

# The training file of XNLI spells one label otherwise than its other files.
_RENAMED = {"contradictory": "contradiction"}

# Name of a file to write below the folder of the task, and its lines.
_Files = Iterator[tuple[str, Iterable[str]]]
_Parts = tuple[str, ...]


class _Origin(NamedTuple):
    """How the originals of a task look.

    Attributes:
        expected: str, what is to lie below the folder, for messages.
        archives: str, pattern of the names of archives to look into.
        is_wanted: whether a path is of a file that is read.
        files: from found files to the files of the task.
    """

    expected: str
    archives: str
    is_wanted: Callable[[_Parts, Task], bool]
    files: Callable[[Iterable[Found], Task], _Files]


def convert_originals(
    task: Task,
    originals_dir: str | os.PathLike[str],
    data_dir: str | os.PathLike[str],
    say: Say = lambda _: None,
) -> None:
    """Writes the files of a task, test labels included.

    Texts lose white space at their ends, as in XTREME; nothing else is changed,
    and no file that is there already is touched. Labels are checked when the
    files are read. `originals_dir` holds archives as they were fetched, or what
    is in them; it may be an archive. POS comes from treebanks of UD, see
    `dlfa_tf.data.ud_treebanks`. `say` receives one-line messages.

    FileNotFoundError names the files that are needed and not there; languages
    without files are only named. ValueError names file and line of a row
    without the columns that it should have, and a damaged archive.
    """
    if task.name not in _ORIGINS:
        raise ValueError(
            f"Originals of task {task.name!r} cannot be converted. Accepted: "
            f"{', '.join(_ORIGINS)}."
        )
    origin = _ORIGINS[task.name]
    root = files.user_path(originals_dir, "originals_dir")
    target = files.user_path(data_dir, "data_dir")
    try:
        _convert(task, origin, root, target, say)
    except _Missing as error:
        raise FileNotFoundError(
            f"A file of task {task.name!r} is missing "
            f"({', '.join(error.args)}) in `originals_dir`. Received: "
            f"{str(root)!r}. Accepted: a folder with {origin.expected}; the "
            "archives as they are, or what is in them."
        ) from None


def _convert(
    task: Task,
    origin: _Origin,
    root: pathlib.Path,
    target: pathlib.Path,
    say: Say,
) -> None:
    found = original_files.find_files(
        root,
        lambda parts: origin.is_wanted(parts, task),
        lambda name: bool(re.fullmatch(origin.archives, name)),
    )
    languages = set()
    for name, lines in origin.files(found, task):
        languages.add(name.partition("-")[2].removesuffix(".tsv"))
        path = target / task.folder / name
        if path.exists() or path.with_name(f"{name}.gz").exists():
            say(f"{path} is there already")
            continue
        files.write_text(path, "".join(f"{x}\n" for x in lines))
        say(f"wrote {path}")
    missing = [x for x in task.languages if x not in languages]
    if not set(task.source_languages) & languages:
        raise _Missing(f"files in {', '.join(task.source_languages)}")
    if missing:
        say(f"No originals in {', '.join(missing)}.")


class _Missing(Exception):
    """Names of files that are needed and not there."""


def _rows(found: Found, names: _Parts = ()) -> Iterator[list[str]]:
    """Yields columns by the names in the first line; the first three for ()."""
    lines = found.lines()
    header = next(lines, (1, ""))[1].split("\t")
    if not set(names) <= set(header):
        raise ValueError(
            f"{found.path}, line 1: expected the columns {list(names)}. "
            f"Received: {header}."
        )
    # Quotes are literal.
    places = [header.index(name) for name in names] or [0, 1, 2]
    for number, line in lines:
        columns = line.split("\t")
        if len(columns) <= max(places):
            raise ValueError(
                f"{found.path}, line {number}: expected {len(header)} columns "
                f"separated by TAB. Received: {len(columns)}."
            )
        yield [words.strip_space(columns[place]) for place in places]


def _pairs(rows: Iterable[list[str]]) -> Iterator[str]:
    for first, second, label in rows:
        yield f"{first}\t{second}\t{_RENAMED.get(label, label)}"


_XNLI_TRAIN = "multinli.train.en.tsv"
_XNLI_SPLITS = {"xnli.dev.tsv": "dev", "xnli.test.tsv": "test"}


def _xnli(files: Iterable[Found], task: Task) -> _Files:
    names = ("language", "sentence1", "sentence2", "gold_label")
    seen = set()
    for found in files:
        name = found.parts[-1]
        if name in seen:
            continue
        seen.add(name)
        if name == _XNLI_TRAIN:
            yield "train-en.tsv", _pairs(_rows(found))
            continue
        rows: dict[str, list[list[str]]] = {}
        for language, *row in _rows(found, names):
            rows.setdefault(language, []).append(row)
        for language in task.languages:
            if language in rows:
                name_written = f"{_XNLI_SPLITS[name]}-{language}.tsv"
                yield name_written, _pairs(rows[language])
    needed = {f"XNLI-1.0/{name}" for name in _XNLI_SPLITS.keys() - seen}
    if _XNLI_TRAIN not in seen:
        needed.add(f"XNLI-MT-1.0/multinli/{_XNLI_TRAIN}")
    if needed:
        raise _Missing(*sorted(needed))


_PAWSX_SPLITS = {
    "train.tsv": "train", "dev_2k.tsv": "dev", "test_2k.tsv": "test",
}  # fmt: skip


def _is_pawsx(parts: _Parts, task: Task) -> bool:
    *_, language, name = ("", *parts)
    return language in task.languages and name in _PAWSX_SPLITS


def _pawsx(files: Iterable[Found], task: Task) -> _Files:
    names = ("sentence1", "sentence2", "label")
    seen = set()
    for found in files:
        language, name = found.parts[-2:]
        if (language, name) not in seen:
            seen.add((language, name))
            rows = _rows(found, names)
            yield f"{_PAWSX_SPLITS[name]}-{language}.tsv", _pairs(rows)
    needed = [x for x in _PAWSX_SPLITS if ("en", x) not in seen]
    if needed:
        raise _Missing(*(f"x-final/en/{name}" for name in needed))


def _panx_file(parts: _Parts, task: Task) -> tuple[str, str] | None:
    """Language and split of a file `en/train`, or `en-train` as XTREME has."""
    *_, folder, name = ("", *parts)
    language, _, split = name.rpartition("-")
    if not language:
        language = folder
    known = language in task.languages and split in SPLITS
    return (language, split) if known else None


def _panx(files: Iterable[Found], task: Task) -> _Files:
    seen = set()
    for found in files:
        known = _panx_file(found.parts, task)
        if known is not None and known not in seen:
            seen.add(known)
            language, split = known
            yield f"{split}-{language}.tsv", _panx_words(found)
    for language in {x for x, _ in seen} | set(task.source_languages):
        needed = [x for x in SPLITS if (language, x) not in seen]
        if needed:
            raise _Missing(f"{needed} of panx_dataset/{language}.tar.gz")


def _panx_words(found: Found) -> Iterator[str]:
    """`en:Paris TAB B-LOC` without the language; blank lines stay blank."""
    blank = 0
    for _, line in found.lines():
        word, tab, tag = line.partition("\t")
        word = words.strip_space(word.partition(":")[2])
        if word:
            yield from [""] * blank
            blank = 0
            yield f"{word}{tab}{words.strip_space(tag)}"
        elif not tab:
            blank += 1


def _is_treebank(parts: _Parts, task: Task) -> bool:
    known = ud_treebanks.language_and_split(parts[-1])
    return known is not None and known[0] in task.languages


def _pos(files: Iterable[Found], task: Task) -> _Files:
    texts = ud_treebanks.benchmark_files(files)
    for (split, language), of_treebanks in sorted(texts.items()):
        parts = [of_treebanks[name] for name in sorted(of_treebanks)]
        lines = b"\n\n".join(part for part in parts if part).decode()
        if lines:
            yield f"{split}-{language}.tsv", lines.split("\n")


_ORIGINS = {
    "xnli": _Origin(
        expected="XNLI-1.0/xnli.dev.tsv, XNLI-1.0/xnli.test.tsv and "
        f"XNLI-MT-1.0/multinli/{_XNLI_TRAIN}",
        archives=r"XNLI.*\.zip",
        is_wanted=lambda parts, _: parts[-1] in (_XNLI_TRAIN, *_XNLI_SPLITS),
        files=_xnli,
    ),
    "pawsx": _Origin(
        expected="x-final/LANG/dev_2k.tsv, x-final/LANG/test_2k.tsv and "
        "x-final/en/train.tsv",
        archives=r"x-final.*\.(tar\.gz|tgz|tar|zip)",
        is_wanted=_is_pawsx,
        files=_pawsx,
    ),
    "ner": _Origin(
        expected="panx_dataset/LANG.tar.gz",
        archives=r"(panx_dataset.*|AmazonPhotos.*|[a-z-]+)"
        r"\.(tar\.gz|tgz|tar|zip)",
        is_wanted=lambda parts, task: _panx_file(parts, task) is not None,
        files=_panx,
    ),
    "pos": _Origin(
        expected="ud-treebanks-v2.5/UD_LANGUAGE-TREEBANK/"
        "LANG_TREEBANK-ud-SPLIT.conllu",
        archives=r"ud-treebanks.*\.(tar\.gz|tgz|tar|zip)",
        is_wanted=_is_treebank,
        files=_pos,
    ),
}
