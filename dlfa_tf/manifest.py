"""Sizes and check sums of the files of a folder, in a file among them.

Formats without sums of their own are read as if nothing had happened when a
disk or a copy has altered a byte: weights in HDF5, vocabularies, graphs.
"""

import contextlib
import pathlib
import zlib
from collections.abc import Iterable
from collections.abc import Iterator

from dlfa_tf import files

NAME = "dlfa_manifest.json"
# For people, who may edit it: not in the manifest.
README = "README.md"

_CHUNK_BYTES = 1 << 22


def write(
    folder: pathlib.Path,
    tag: str = "",
    *,
    name: str = NAME,
    without: Iterable[str] = (),
) -> None:
    """Writes the manifest of a folder, which is complete.

    `tag` names the content. `name` is the manifest's path in the folder,
    `without` those of folders in it that may change; `README.md` may, too.
    """
    skipped = {folder / part for part in (name, README, *without)}
    entries = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "crc32": crc32(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and skipped.isdisjoint([path, *path.parents])
    }
    files.write_json(folder / name, {"tag": tag, "files": entries})


def write_unfinished(folder: pathlib.Path) -> None:
    """Says of a folder that it is being written; `write` ends that."""
    files.write_json(folder / NAME, {"tag": "", "files": {}})


def damage(folder: pathlib.Path, name: str = NAME) -> list[str]:
    """What is not as it was written, one line a file; empty when all is.

    Empty, too, when there is no manifest. Files that it does not name are not
    looked at.
    """
    try:
        entries = files.read_json(folder / name)["files"]
        found = [_damage_of(folder, name, entries[name]) for name in entries]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"{name} cannot be read ({type(error).__name__})"]
    if not entries:
        return ["it was not written to the end"]
    return [text for text in found if text]


def _damage_of(folder: pathlib.Path, name: str, entry: dict) -> str:
    path = folder / name
    if not path.is_file():
        return f"{name} is missing"
    size = path.stat().st_size
    if size != entry["bytes"]:
        return f"{name} has {size} bytes, {entry['bytes']} were written"
    if crc32(path) != entry["crc32"]:
        return f"{name} is not what was written"
    return ""


def check(folder: pathlib.Path, name: str = NAME) -> None:
    """Refuses a folder that is not as it was written, with ValueError.

    A folder without a manifest is taken as it is. Of one with it, all files
    are read from end to end.
    """
    found = damage(folder, name)
    if found:
        raise ValueError(
            f"{str(folder)!r} is damaged or was altered. Received: "
            f"{'; '.join(found[:5])}. Accepted: the folder as it was saved; "
            "copy it or save it again. To take it as it is, delete "
            f"{str(folder / name)!r}."
        )


@contextlib.contextmanager
def checked(folder: pathlib.Path) -> Iterator[None]:
    """Checks a folder before it is read and afterwards.

    A file may change in between: what reads it stumbles, and says so in other
    words, or does not notice.
    """
    check(folder)
    try:
        yield
    finally:
        check(folder)


def crc32(path: pathlib.Path) -> str:
    """CRC-32 of a file, 8 hexadecimal digits."""
    value = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            value = zlib.crc32(chunk, value)
    return f"{value:08x}"
