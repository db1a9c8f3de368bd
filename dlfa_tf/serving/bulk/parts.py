"""Files of lines, cut into parts that can be read by themselves.

Paths may be of any file system that fsspec knows: local ones, or `gs://...`,
`s3://...`, `hdfs://...` with the package that fsspec names for each.
"""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

import fsspec
from fsspec.utils import infer_compression

from dlfa_tf import files
from dlfa_tf import words

# Begins some files, and is no text of theirs.
_MARK = words.BYTE_ORDER_MARK.encode()
PART_BYTES = 8 * 2**20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """A range of bytes; lines belong to the part that they begin in.

    The index counts in the order of the input. The end is the byte after the
    last; None for all that is left, as in a compressed file, which cannot be
    entered in its middle.
    """

    index: int
    path: str
    start: int
    end: int | None


def user_place(place: str, name: str) -> str:
    """A path as users write it, or the address of another file system.

    `name` is that of the argument; TypeError and ValueError are those of
    `files.user_path`.
    """
    return place if "://" in place else str(files.user_path(place, name))


def find_files(pattern: str) -> list[tuple[str, int]]:
    """Paths and bytes of the files that a pattern names, in their order."""
    system, path = fsspec.core.url_to_fs(user_place(pattern, "input"))
    found = system.glob(path, detail=True)
    return [
        (whole_path(system, name), found[name]["size"])
        for name in sorted(found)
        if found[name]["type"] == "file"
    ]


def whole_path(system: fsspec.AbstractFileSystem, path: str) -> str:
    """A path that other processes find: absolute, or with its protocol."""
    found = system.unstrip_protocol(path)
    return found.removeprefix("file://").removeprefix("local://")


def cut(files: Sequence[tuple[str, int]], part_bytes: int) -> list[Part]:
    """Cuts files into parts; an empty file is one part without lines."""
    ranges: list[tuple[str, int, int | None]] = []
    for path, size in files:
        if infer_compression(path) is not None:
            ranges.append((path, 0, None))
            continue
        for start in range(0, max(size, 1), part_bytes):
            ranges.append((path, start, min(start + part_bytes, size)))
    return [
        Part(index=i, path=path, start=start, end=end)
        for i, (path, start, end) in enumerate(ranges)
    ]


def read_part(part: Part) -> Iterator[tuple[int, bytes]]:
    """Yields offset and content of every line that begins in a part."""
    kind = "infer" if part.end is None else None
    with fsspec.open(part.path, "rb", compression=kind) as file:
        position = part.start
        if part.start:
            # The line that the byte before belongs to is another part's.
            file.seek(part.start - 1)
            position += len(file.readline()) - 1
        while part.end is None or position < part.end:
            line = file.readline()
            if not line:
                return
            yield position, line if position else line.removeprefix(_MARK)
            position += len(line)
