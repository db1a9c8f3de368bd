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
# What files begin with that hold no UTF-8 text.
_OTHER_BEGINNINGS = (
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x1f\x8b", "gzip under another name; .gz at its end says so"),
    (b"BZh91AY&SY", "bzip2 under another name; .bz2 at its end says so"),
    (b"PK\x03\x04", "a zip file under another name; .zip at its end says so"),
)
# What reading a damaged file raises.
DAMAGED = (EOFError, OSError, zipfile.BadZipFile, zlib.error)


@contextlib.contextmanager
def open_bytes(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Opens a file for reading, unpacked.

    `.gz` and `.bz2` are decompressed, in letters of either case.
    `ARCHIVE.zip/MEMBER` is a member of a zip file, itself decompressed by its
    ending; `ARCHIVE.zip` alone stands for its only member. Nothing is written
    to disk.

    Args:
        path: file, plain or packed.

    Returns:
        Context manager of a binary file.

    Raises:
        FileNotFoundError: when the file is not there, or the zip file has no
            such member, or several; names what is there.
        ValueError: when the zip file is damaged.
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
    """Yields number and text of every line of a UTF-8 file.

    What a line end and a byte order mark are, `dlfa_tf.words` says.

    Args:
        path: file, plain or packed, as for `open_bytes`.
        keep_ends: bool, whether each text ends in a line feed. Defaults to
            `False`.

    Returns:
        Iterator of pairs: number of the line, from 1, and its text.

    Raises:
        ValueError: with file and line, for what is not UTF-8 and for a damaged
            file; says so when it is packed, or in UTF-16.
        FileNotFoundError: as for `open_bytes`.
    """
    with open_bytes(path) as file:
        yield from numbered_lines(path, file, keep_ends)


def numbered_lines(
    path: str | os.PathLike[str], file: IO[bytes], keep_ends: bool = False
) -> Iterator[tuple[int, str]]:
    """`read_lines` of an open file.

    Args:
        path: name of the file, for errors.
        file: binary file.
        keep_ends: bool, as for `read_lines`.

    Returns:
        Iterator of pairs: number of the line, from 1, and its text.

    Raises:
        ValueError: as for `read_lines`.
    """
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
            + (what_else(error.object) if number == 1 else "")
        ) from error
    except DAMAGED as error:
        raise ValueError(
            f"{path}: damaged {_packing(path)} file after line {number} "
            f"({error}). Accepted: the whole file, packed as its name says."
        ) from error


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether `open_bytes` finds something under this name.

    Args:
        path: file, plain or packed, or a member of a zip file.

    Returns:
        bool.

    Raises:
        ValueError: when a zip file in it is damaged.
    """
    path = pathlib.Path(path)
    if path.is_file():
        return True
    archive = _archive_of(path)
    if archive is None:
        return False
    with _opened_zip(archive) as unpacked:
        return path.relative_to(archive).as_posix() in unpacked.namelist()


def changed_at(path: str | os.PathLike[str]) -> int:
    """When a file, or the zip file that has it, was changed.

    Args:
        path: file, plain or packed, or a member of a zip file.

    Returns:
        int, nanoseconds since 1970.

    Raises:
        OSError: when it cannot be looked at.
    """
    path = pathlib.Path(path)
    return (_archive_of(path) or path).stat().st_mtime_ns


def name_unpacked(path: str | os.PathLike[str]) -> str:
    """The file's own name without the endings that say how it is packed.

    Args:
        path: file, or a member of a zip file.

    Returns:
        str, the last part of the path without `.gz`, `.bz2` and `.zip`, in
        letters of either case.
    """
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


def what_else(beginning: bytes) -> str:
    """What a file is that was to be UTF-8 text, as a sentence for an error.

    Args:
        beginning: bytes that the file begins with.

    Returns:
        str with a space before it; empty where nothing is known.
    """
    for start, what in _OTHER_BEGINNINGS:
        if beginning.startswith(start):
            return f" It looks like {what}."
    return ""
