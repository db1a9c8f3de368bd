"""Files of a folder and of the archives in it, read one after another.

Nothing is unpacked to disk: members are read in the order in which an archive
has them, so that their names cannot lead anywhere, and a large archive is gone
through once.
"""

import io
import os
import pathlib
import re
import tarfile
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from typing import IO
from typing import Any
from typing import NamedTuple

from dlfa_tf.data.formats import text_lines

# Folders below the one that is named, and archives within archives.
_DEPTH = 4
_ARCHIVES = 2
# No file that is read here is half as large.
_MOST_BYTES = 2**31
_ENDING = re.compile(r"\.(zip|tar|tgz|tar\.gz)$", re.IGNORECASE)
_DAMAGED = (*text_lines.DAMAGED, tarfile.TarError)


class Found(NamedTuple):
    """A file that was found.

    Attributes:
        path: str, where, archives included, for messages.
        parts: folders and name, an archive being a folder of its name.
        data: bytes.
    """

    path: str
    parts: tuple[str, ...]
    data: bytes

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yields number and text of every line; see `text_lines`."""
        return text_lines.numbered_lines(self.path, io.BytesIO(self.data))


def find_files(
    root: str | os.PathLike[str],
    is_wanted: Callable[[tuple[str, ...]], bool],
    is_archive: Callable[[str], bool],
) -> Iterator[Found]:
    """Yields files below a folder, or in an archive, that are wanted.

    `is_wanted` looks at the parts of a file's path, `is_archive` at the name of
    an archive, to say whether to look into it. Files come before archives, each
    in the order of their names. FileNotFoundError when `root` is not there,
    ValueError for a damaged archive.
    """
    root = pathlib.Path(root)
    if root.is_file():
        yield from _members(root, (root.name,), str(root), is_wanted, 1)
        return
    if not root.is_dir():
        raise FileNotFoundError(
            f"`originals_dir` does not exist. Received: {str(root)!r}. "
            "Accepted: a folder of archives, or of what is in them; an archive."
        )
    archives = []
    for path in _paths(root):
        parts = path.relative_to(root).parts
        if is_wanted(parts):
            yield Found(str(path), parts, path.read_bytes())
        elif is_archive(path.name):
            archives.append((path, parts))
    for path, parts in archives:
        yield from _members(path, parts, str(path), is_wanted, 1)


def _paths(root: pathlib.Path) -> Iterator[pathlib.Path]:
    for folder, folders, names in os.walk(root, onerror=_refuse):
        folders.sort()
        if len(pathlib.Path(folder).relative_to(root).parts) >= _DEPTH:
            folders.clear()
        for name in sorted(names):
            yield pathlib.Path(folder, name)


def _refuse(error: OSError) -> None:
    """A folder that cannot be read is not an empty one."""
    raise error


def _members(
    archive: pathlib.Path | IO[bytes],
    parts: tuple[str, ...],
    shown: str,
    is_wanted: Callable[[tuple[str, ...]], bool],
    depth: int,
) -> Iterator[Found]:
    """Yields the wanted files of an archive and of archives within it."""
    folder = (*parts[:-1], _ENDING.sub("", parts[-1]))
    try:
        for name, size, file in _opened_members(archive, parts[-1]):
            inner = (*folder, *pathlib.PurePosixPath(name).parts)
            path = f"{shown}/{name}"
            if is_wanted(inner):
                if size > _MOST_BYTES:
                    raise ValueError(
                        f"{path}: the file is too large. Received: {size} "
                        f"bytes. Accepted: up to {_MOST_BYTES}."
                    )
                yield Found(path, inner, file.read())
            elif _ENDING.search(name) and depth < _ARCHIVES:
                yield from _members(file, inner, path, is_wanted, depth + 1)
    except _DAMAGED as error:
        raise ValueError(
            f"{shown}: damaged archive ({error}). Accepted: a whole .zip, "
            ".tar, .tar.gz or .tgz file."
        ) from error


def _opened_members(archive: Any, name: str) -> Iterator[tuple[str, int, Any]]:
    """Yields name, size and content of the regular files of an archive."""
    if name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as unpacked:
            for info in unpacked.infolist():
                if not info.is_dir():
                    with unpacked.open(info) as file:
                        yield info.filename, info.file_size, file
        return
    is_path = isinstance(archive, pathlib.Path)
    where = {"name": archive} if is_path else {"fileobj": archive}
    with tarfile.open(**where, mode="r|*") as tar:
        for member in tar:
            # Links and devices are none.
            if member.isfile():
                yield member.name, member.size, tar.extractfile(member)
