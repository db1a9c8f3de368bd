"""Files of text without labels, by language."""

import itertools
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Iterator

from dlfa_tf import files
from dlfa_tf import words
from dlfa_tf.data import formats
from dlfa_tf.data.formats import text_lines

# A text a line, and the formats of data files.
_LINES = ".txt"
_ENDINGS = (_LINES, *itertools.chain.from_iterable(formats.KINDS.values()))
_ACCEPTED = (
    "LANGUAGE:FILE, a file called like wiki-de.txt or de.jsonl, a folder of "
    "such files, or a folder called like wiki-de or de with files of any name; "
    f"{', '.join(_ENDINGS)}, packed as "
    f"{', '.join(text_lines.PACKED)} or not"
)
# "de", "zh-min-nan" after "LANGUAGE:"; in names of files two or three letters.
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]+)*")
_AT_THE_END = re.compile(r"(?:^|[-._])([a-z]{2,3})$")
# In names of folders, of which many have three letters.
_OF_A_FOLDER = re.compile(r"(?:^(?=..$)|[-._])([a-z]{2,3})$")


def find_texts(texts: Iterable[str]) -> dict[str, list[pathlib.Path]]:
    """Finds the files of `--texts`.

    Args:
        texts: strings: `LANGUAGE:FILE`, a file or a folder. In a folder,
            files of other formats are left out, and folders whose name tells
            no language, or another than `LANGUAGE`.

    Returns:
        From language, sorted, to its files in the order given; those of a
        folder by name. A file whose name does not tell the language has that
        of its folder's name, as Hugging Face lays data sets out:
        `20231101.de/train-00000-of-00020.parquet`.

    Raises:
        ValueError: when the language of a file is not known, when a file is
            given twice, or when its format is not read.
        FileNotFoundError: when a file is missing or a folder has none.
    """
    found: dict[str, list[pathlib.Path]] = {}
    for given in texts:
        for language, path in _files_of(given):
            if path in itertools.chain(*found.values()):
                raise ValueError(
                    f"`texts` has a file twice. Received: {str(path)!r}. "
                    "Accepted: every file once."
                )
            found.setdefault(language, []).append(path)
    return dict(sorted(found.items()))


def _files_of(given: str) -> Iterator[tuple[str, pathlib.Path]]:
    language, colon, rest = given.partition(":")
    named = bool(colon and _LANGUAGE.fullmatch(language))
    path = files.user_path(rest if named else given, "texts")
    if path.is_dir():
        below = _files_below(path, language if named else None)
        inside = [*_files_in(path), *below]
        if not inside:
            raise FileNotFoundError(
                f"`texts` names a folder without text. Received: {given!r}. "
                f"Accepted: {_ACCEPTED}."
            )
        for child in inside:
            own = language if named else _language(child, child.parent)
            yield own, child
        return
    if not text_lines.exists(path):
        raise FileNotFoundError(
            f"`texts` names a file that is not there. Received: {given!r}. "
            f"Accepted: {_ACCEPTED}."
        )
    if not _is_text(path):
        raise ValueError(
            "`texts` names a file whose format is not read. Received: "
            f"{given!r}. Accepted: {_ACCEPTED}."
        )
    yield (language if named else _language(path)), path


def _files_in(folder: pathlib.Path) -> list[pathlib.Path]:
    return [
        child
        for child in sorted(folder.iterdir())
        if child.is_file() and _is_text(child)
    ]


def _files_below(
    folder: pathlib.Path, language: str | None
) -> Iterator[pathlib.Path]:
    """Files in folders whose names tell a language, or that language."""
    for child in sorted(folder.iterdir()):
        match = _OF_A_FOLDER.search(child.name)
        if match and language in (None, match.group(1)) and child.is_dir():
            yield from _files_in(child)


def _is_text(path: pathlib.Path) -> bool:
    return text_lines.name_unpacked(path).lower().endswith(_ENDINGS)


def _language(path: pathlib.Path, folder: pathlib.Path | None = None) -> str:
    """Language of a file by the last part of its name, or of its folder's."""
    stem = pathlib.PurePath(text_lines.name_unpacked(path)).stem
    match = _AT_THE_END.search(stem)
    if match is None and folder is not None:
        match = _OF_A_FOLDER.search(folder.absolute().name)
    if match is None:
        raise ValueError(
            "`texts` names a file whose language is not known. Received: "
            f"{str(path)!r}. Accepted: {_ACCEPTED}."
        )
    return match.group(1)


def read_texts(
    files: Iterable[pathlib.Path],
    *,
    text_column: str = "text",
    limit: int | None = None,
) -> Iterator[str]:
    """Reads the texts of one language, without empty ones.

    Args:
        files: paths, as `find_texts` gives them.
        text_column: str, name of the column in tables, the key in JSON lines.
        limit: int or None, most texts to read.

    Returns:
        Iterator of strings; of a treebank the words, joined by spaces. Null
        in JSON lines and Parquet is an empty text.

    Raises:
        ValueError: for what is not of the format, naming file and line, and
            when there is no text in any of the files.
        ImportError: for Parquet without pyarrow.
    """
    paths = list(files)
    texts = itertools.chain.from_iterable(
        _read(path, text_column) for path in paths
    )
    full = (text for text in texts if not words.is_blank(text))
    return _not_empty(itertools.islice(full, limit), paths)


def _not_empty(
    texts: Iterable[str], paths: list[pathlib.Path]
) -> Iterator[str]:
    is_empty = True
    for text in texts:
        is_empty = False
        yield text
    if is_empty:
        names = ", ".join(map(str, paths))
        raise ValueError(
            f"`texts` has no text in a language. Received: {names}, which hold "
            "none. Accepted: a text or more."
        )


def _read(path: pathlib.Path, column: str) -> Iterator[str]:
    if text_lines.name_unpacked(path).lower().endswith(_LINES):
        return (line for _, line in text_lines.read_lines(path))
    kind = formats.kind_of(path)
    if kind in ("conll", "conllu"):
        return (
            " ".join(sentence.words)
            for sentence in formats.read_sentences(path, tag_column=None)
        )
    rows = formats.read_rows(
        path, {"text": column}, header=True, null_is_empty=True
    )
    return (row.values["text"] for row in rows)
