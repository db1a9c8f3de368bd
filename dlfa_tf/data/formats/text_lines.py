"""Lines of text files: plain, gzip, bzip2, or a member of a zip file."""

import bz2
import contextlib
import gzip
import os
import pathlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from typing import Any

from dlfa_tf import words

# What opens a compressed file, by the ending of its name.
OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
# Endings that say how a file is packed, not what is in it.
PACKED = (*OPENERS, ".zip")
_DAMAGED = (EOFError, OSError, zipfile.BadZipFile, zlib.error)


@contextlib.contextmanager
def open_bytes(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Opens a file for reading, unpacked.

    `.gz` and `.bz2` are decompressed. `ARCHIVE.zip/MEMBER` is a member of a zip
    file, itself decompressed by its ending; `ARCHIVE.zip` alone stands for its
    only member. Nothing is written to disk. FileNotFoundError names what is
    there instead.
    """
    path = pathlib.Path(path)
    with contextlib.ExitStack() as stack:
        archive = _archive_of(path)
        if archive is None:
            opener = OPENERS.get(path.suffix.lower(), open)
            yield stack.enter_context(opener(path, "rb"))
            return
        unpacked = stack.enter_context(_opened_zip(archive))
        name = _member_name(unpacked, archive, path)
        member: Any = stack.enter_context(unpacked.open(name))
        opener = OPENERS.get(pathlib.PurePath(name).suffix.lower())
        yield stack.enter_context(opener(member)) if opener else member


def read_lines(
    path: str | os.PathLike[str], keep_ends: bool = False
) -> Iterator[tuple[int, str]]:
    """Yields number (from 1) and text of every line of a UTF-8 file.

    What a line end and a byte order mark are, `dlfa_tf.words` says. ValueError
    with file and line for what is not UTF-8 and for a damaged file.
    """
    with open_bytes(path) as file:
        yield from numbered_lines(path, file, keep_ends)


def numbered_lines(
    path: str | os.PathLike[str], file: IO[bytes], keep_ends: bool = False
) -> Iterator[tuple[int, str]]:
    """`read_lines` of an open file; `path` names it in errors."""
    number = 0
    try:
        for number, raw in enumerate(file, start=1):
            text = words.decode_line(raw, is_first=number == 1)
            if keep_ends:
                text += "\n"
            yield number, text
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}, line {number}: not valid UTF-8 ({error.reason} at "
            f"byte {error.start} of the line). Accepted: UTF-8 text."
            + _other_encoding(error.object)
        ) from error
    except _DAMAGED as error:
        raise ValueError(
            f"{path}: damaged {_packing(path)} file after line {number} "
            f"({error})."
        ) from error


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether `open_bytes` finds something under this name."""
    path = pathlib.Path(path)
    if path.is_file():
        return True
    archive = _archive_of(path)
    if archive is None:
        return False
    with _opened_zip(archive) as unpacked:
        return path.relative_to(archive).as_posix() in unpacked.namelist()


def changed_at(path: str | os.PathLike[str]) -> int:
    """When a file, or the zip file that has it, was changed (nanoseconds)."""
    path = pathlib.Path(path)
    return (_archive_of(path) or path).stat().st_mtime_ns


def name_unpacked(path: str | os.PathLike[str]) -> str:
    """The file's own name without the endings that say how it is packed."""
    name = pathlib.PurePath(path).name
    while (stem := pathlib.PurePath(name)).suffix.lower() in PACKED:
        name = stem.stem
    return name


def _opened_zip(archive: pathlib.Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{archive}: damaged zip file ({error}).") from error


def _packing(path: str | os.PathLike[str]) -> str:
    if _archive_of(pathlib.Path(path)) is not None:
        return "zip"
    suffix = pathlib.PurePath(path).suffix.lower()
    return {".gz": "gzip", ".bz2": "bzip2"}.get(suffix, "text")


def _archive_of(path: pathlib.Path) -> pathlib.Path | None:
    """The zip file that a path names, or has a member of."""
    for part in (path, *path.parents):
        if part.suffix.lower() == ".zip" and part.is_file():
            return part
    return None


def _member_name(
    unpacked: zipfile.ZipFile, archive: pathlib.Path, path: pathlib.Path
) -> str:
    names = [n for n in unpacked.namelist() if not n.endswith("/")]
    if path != archive:
        name = path.relative_to(archive).as_posix()
        if name in names:
            return name
        problem = f"has no member {name!r}"
    elif len(names) == 1:
        return names[0]
    else:
        problem = f"holds {len(names)} files; name one of them"
    raise FileNotFoundError(
        f"{archive} {problem}. Accepted: {archive.name}/MEMBER; it begins "
        f"with {names[:12]}."
    )


def _other_encoding(line: bytes) -> str:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        return " It looks like UTF-16."
    return ""
