"""Files as this project writes them: aside and renamed, locked, as JSON.

A reader never sees half a file. What a process that is killed leaves has a
name of its own, `.NAME.NUMBER.tmp`, which `remove_unfinished` knows.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import secrets
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

_POLL_SECONDS = 0.1
_FILE_URL = "file://"
# What NumPy and zipfile raise for an `.npz` file that was cut off or altered.
# RuntimeError: one bit tells that it is encrypted, others a later version.
BROKEN_NPZ = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


class Lock(NamedTuple):
    """A lock that this process holds.

    A child that inherits `descriptor`, an open file, holds it too. `is_held` is
    False where the file system knows no locks.
    """

    descriptor: int
    is_held: bool


def user_path(path: Any, name: str = "path") -> pathlib.Path:
    """A path as users write it: `~` at its beginning is the home folder.

    The one rule for all paths of the library and of programs, to read and to
    write. A folder that is itself called `~` is `./~`.

    Args:
        path: str, bytes or `os.PathLike`.
        name: str, name of the argument, for the message.

    Returns:
        Path.

    Raises:
        TypeError: when it is no path.
        ValueError: when it is empty, holds a NUL, or is a `file://` URL.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(
            f"`{name}` must be a path. Received: {path!r:.120} of type "
            f"{type(path).__name__}. Accepted: str, bytes or os.PathLike."
        )
    text = os.fsdecode(path)
    if text.lower().startswith(_FILE_URL):
        raise ValueError(
            f"`{name}` must be a path. Received: {text!r:.120}, a URL. "
            f"Accepted: {text[len(_FILE_URL) :]!r:.120}."
        )
    if not text or "\0" in text:
        raise ValueError(
            f"`{name}` must be a path. Received: {text!r:.120}. Accepted: the "
            "name of a file or a folder."
        )
    return pathlib.Path(os.path.expanduser(text))


def check_can_be_made(
    folder: pathlib.Path, name: str, file: pathlib.Path | None = None
) -> None:
    """Refuses a folder that could not be made, or not be written to.

    For work that takes long before it writes anything.

    Args:
        folder: path, which need not be there, nor its parents.
        name: str, name of the argument, for the message.
        file: path, what the argument names in that folder; default the folder.

    Raises:
        NotADirectoryError: when it is a file, or lies below one.
        FileNotFoundError: when it is a link to what is not there.
        PermissionError: when this user may not write to it, or to the folder
            that it would be made in.
    """
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    given = folder if file is None else file
    received = f"Received: {str(given)!r}. Accepted: a folder that can be"
    if not there.exists():
        raise FileNotFoundError(
            f"`{name}` leads over a link to what is not there, {str(there)!r}. "
            f"{received} made."
        )
    if not there.is_dir():
        where = "is" if there == given else f"lies below {str(there)!r},"
        raise NotADirectoryError(f"`{name}` {where} a file. {received} made.")
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        raise PermissionError(
            f"`{name}` cannot be written to, for {str(there)!r} cannot. "
            f"{received} written to."
        )


@contextlib.contextmanager
def written_aside(
    path: pathlib.Path,
    *,
    suffix: str = "",
    replace: bool = False,
    durable: bool = False,
) -> Iterator[pathlib.Path]:
    """Yields a path to write to, which gets its real name in the end.

    Nothing is left after an error. An existing file is replaced, an existing
    folder only with `replace`. `suffix` ends the yielded name, for writers that
    look at it. `durable` waits until the disk has the file. The parent of
    `path` must exist.
    """
    temporary = _temporary(path, suffix)
    try:
        yield temporary
        if durable:
            wait_for_disk(temporary)
        if replace and path.is_dir():
            remove(path)
        os.replace(temporary, path)
    finally:
        remove(temporary)


@contextlib.contextmanager
def filled_aside(
    folder: pathlib.Path, *, last: Sequence[str] = ()
) -> Iterator[pathlib.Path]:
    """Yields a new folder to fill, whose content is moved into `folder`.

    One after the other, `last` at the end in this order: names by which
    readers know that all is there. What `folder` has of the same name is
    replaced, and nothing is moved after an error.
    """
    temporary = _temporary(folder / folder.name)
    temporary.mkdir()
    try:
        yield temporary
        names = sorted(path.name for path in temporary.iterdir())
        first = [name for name in names if name not in last]
        for name in [*first, *(name for name in last if name in names)]:
            if (folder / name).is_dir():
                remove(folder / name)
            os.replace(temporary / name, folder / name)
    finally:
        remove(temporary)


@contextlib.contextmanager
def removed_in_the_end(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a path beside `path` to write to, and removes it in the end.

    For what is not renamed as a whole; see `written_aside`.
    """
    temporary = _temporary(path)
    try:
        yield temporary
    finally:
        remove(temporary)


def _temporary(path: pathlib.Path, suffix: str = "") -> pathlib.Path:
    # Not the number of the process alone: in containers each is the first,
    # and two that share a folder may be on machines that share no locks.
    number = f"{os.getpid()}{secrets.randbelow(10**6):06d}"
    return path.with_name(f".{path.name}.{number}.tmp{suffix}")


def is_unfinished(path: pathlib.Path, name: str | None = None) -> bool:
    """Whether a path is what a process writes before it renames it.

    `name` is the one that it was to get; None for any.
    """
    start = ".+" if name is None else re.escape(name)
    pattern = rf"\.{start}\.\d+\.tmp(\..+)?"
    return re.fullmatch(pattern, path.name) is not None


def remove_unfinished(folder: pathlib.Path, name: str | None = None) -> None:
    """Removes what a killed process had not written to the end.

    That is in `folder` and all folders below it; given `name`, only what was to
    be called so in the folder itself.
    """
    found = folder.rglob(".*") if name is None else folder.glob(".*")
    for path in list(found):
        if is_unfinished(path, name):
            remove(path)


def remove(path: pathlib.Path) -> None:
    """Removes a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def wait_for_disk(path: pathlib.Path) -> None:
    """Waits until the disk has what was written to a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a text file aside, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes plain values as indented JSON; see `write_text`."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: pathlib.Path) -> Any:
    """Reads a file of JSON; ValueError names one that is cut off or altered."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is no JSON that can be read ({error}). Accepted: the file "
            "as it was written; copy it or make it again."
        ) from error


def append_json_line(path: pathlib.Path, value: dict) -> None:
    """Adds one line to a JSON lines file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(value, sort_keys=True) + "\n")


@contextlib.contextmanager
def locked(
    path: pathlib.Path,
    *,
    timeout_seconds: float = 0.0,
    on_wait: Callable[[], None] = lambda: None,
) -> Iterator[Lock]:
    """Keeps other processes from locking the same file or folder.

    The system gives it free when the process ends, however it ends. A file is
    made if need be (OSError when it cannot be). `on_wait` is called once when
    there is somebody to wait for; BlockingIOError says that it took longer than
    `timeout_seconds`.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags, 0o666)
    try:
        yield Lock(descriptor, _lock(descriptor, timeout_seconds, on_wait))
    finally:
        os.close(descriptor)


def _lock(
    descriptor: int, timeout_seconds: float, on_wait: Callable[[], None]
) -> bool:
    deadline = time.monotonic() + timeout_seconds
    has_waited = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        except OSError:
            # Some network file systems know no locks.
            return False
        if not has_waited:
            on_wait()
            has_waited = True
        time.sleep(_POLL_SECONDS)
