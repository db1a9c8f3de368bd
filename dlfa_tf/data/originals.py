"""XNLI, PAWS-X and PAN-X as their makers ship them -> folders of the tasks.

XTREME's script does the same, but leaves the labels of test files out.
"""

import os
import pathlib
import tarfile
from collections.abc import Callable
from collections.abc import Iterator

from dlfa_tf.data.task import Task

# What each task needs below the folder of originals.
EXPECTED = {
    "xnli": "XNLI-1.0/xnli.dev.tsv, XNLI-1.0/xnli.test.tsv and "
    "XNLI-MT-1.0/multinli/multinli.train.en.tsv",
    "pawsx": "x-final/LANG/dev_2k.tsv, x-final/LANG/test_2k.tsv and "
    "x-final/en/train.tsv",
    "ner": "panx_dataset/LANG.tar.gz",
}
# The training file of XNLI spells one label otherwise than its other files.
_RENAMED = {"contradictory": "contradiction"}

# Path of a file to write below the folder of the task, and its lines.
_Files = Iterator[tuple[str, Iterator[str]]]


def convert_originals(
    task: Task,
    originals_dir: str | os.PathLike[str],
    data_dir: str | os.PathLike[str],
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Writes the files of a task, test labels included.

    Texts lose spaces at their ends, as in XTREME; nothing else is changed, and
    no file that is there already is touched. Labels are checked when the files
    are read. `originals_dir` holds what `EXPECTED` says; `pos` is not offered,
    see `docs/data.md`. `say` receives one-line messages.

    FileNotFoundError names all files that are needed, ValueError file and line
    of a row without the columns that it should have.
    """
    if task.name not in EXPECTED:
        raise ValueError(
            f"Originals of task {task.name!r} cannot be converted. Accepted: "
            f"{', '.join(EXPECTED)}. The words of `pos` have to be joined by "
            "XTREME's script; see docs/data.md, 'Getting the data'."
        )
    root, target = pathlib.Path(originals_dir), pathlib.Path(data_dir)
    files = {"xnli": _xnli, "pawsx": _pawsx, "ner": _panx}[task.name]
    try:
        for name, lines in files(root, task):
            path = target / task.folder / name
            if path.exists() or path.with_name(f"{name}.gz").exists():
                say(f"{path} is there already")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            # Under another name until it is whole.
            part = path.with_name(f".{name}.part")
            part.write_bytes("".join(f"{x}\n" for x in lines).encode())
            part.replace(path)
            say(f"wrote {path}")
    except (FileNotFoundError, KeyError) as error:
        raise FileNotFoundError(
            f"A file of task {task.name!r} is missing ({error}). Accepted: a "
            f"folder with {EXPECTED[task.name]}."
        ) from error


def _rows(
    path: pathlib.Path, names: tuple[str, ...] = ()
) -> Iterator[list[str]]:
    """Yields columns by the names in the first line; the first three for ()."""
    # Quotes are literal; only a line feed ends a line.
    lines = path.read_bytes().decode("utf-8-sig").split("\n")
    header = lines[0].rstrip("\r").split("\t")
    if not set(names) <= set(header):
        raise ValueError(
            f"{path}, line 1: expected the columns {list(names)}. Received: "
            f"{header}."
        )
    places = [header.index(name) for name in names] or [0, 1, 2]
    for number, line in enumerate(lines[1:], start=2):
        columns = line.rstrip("\r").split("\t")
        if columns == [""] and number == len(lines):
            return
        if len(columns) <= max(places):
            raise ValueError(
                f"{path}, line {number}: expected {len(header)} columns "
                f"separated by TAB. Received: {len(columns)}."
            )
        yield [columns[place].strip() for place in places]


def _pairs(rows: Iterator[list[str]]) -> Iterator[str]:
    for first, second, label in rows:
        yield f"{first}\t{second}\t{_RENAMED.get(label, label)}"


def _xnli(root: pathlib.Path, task: Task) -> _Files:
    train = root / "XNLI-MT-1.0" / "multinli" / "multinli.train.en.tsv"
    yield "train-en.tsv", _pairs(_rows(train))
    names = ("language", "sentence1", "sentence2", "gold_label")
    for split in ("dev", "test"):
        rows = list(_rows(root / "XNLI-1.0" / f"xnli.{split}.tsv", names))
        for language in task.languages:
            chosen = (row[1:] for row in rows if row[0] == language)
            yield f"{split}-{language}.tsv", _pairs(chosen)


def _pawsx(root: pathlib.Path, task: Task) -> _Files:
    names = ("sentence1", "sentence2", "label")
    for language in task.languages:
        folder = root / "x-final" / language
        for split, name in (("dev", "dev_2k"), ("test", "test_2k")):
            rows = _rows(folder / f"{name}.tsv", names)
            yield f"{split}-{language}.tsv", _pairs(rows)
    train = root / "x-final" / "en" / "train.tsv"
    yield "train-en.tsv", _pairs(_rows(train, names))


def _panx(root: pathlib.Path, task: Task) -> _Files:
    for language in task.languages:
        archive = root / "panx_dataset" / f"{language}.tar.gz"
        with tarfile.open(archive) as tar:
            for split in ("train", "dev", "test"):
                member = tar.extractfile(split)
                data = b"" if member is None else member.read()
                lines = data.decode("utf-8").rstrip("\n").split("\n")
                yield f"{split}-{language}.tsv", map(_word, lines)


def _word(line: str) -> str:
    """`en:Paris TAB B-LOC` without the language; blank lines stay blank."""
    word, tab, tag = line.partition("\t")
    return f"{word.partition(':')[2].strip()}{tab}{tag.strip()}"
