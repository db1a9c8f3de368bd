"""Folders that are built once, shared by processes and checked when used."""

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from dlfa_tf import files
from dlfa_tf import manifest

CACHE_VARIABLE = "DLFA_TF_CACHE"
MANIFEST_NAME = manifest.NAME

logger = logging.getLogger(__name__)


def cache_root(cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Returns the folder that holds everything this package caches.

    That is `cache_dir`, without it the environment variable `DLFA_TF_CACHE`,
    and without that `~/.cache/dlfa_tf` (OSError when the user has no home
    folder). The path is absolute; the folder need not exist.
    """
    chosen = cache_dir or os.environ.get(CACHE_VARIABLE)
    try:
        if chosen:
            return files.user_path(chosen, CACHE_VARIABLE).absolute()
        return Path.home() / ".cache" / "dlfa_tf"
    except RuntimeError as error:
        raise OSError(
            f"No cache folder could be chosen ({error}). Received: "
            f"{CACHE_VARIABLE}={chosen!r}. Set {CACHE_VARIABLE} to a folder "
            "that can be written."
        ) from error


def folder_is_valid(folder: Path, tag: str) -> bool:
    """Tells whether a folder is complete, undamaged and built for `tag`.

    Sizes and CRC-32 sums of all files are compared with the manifest that
    was written when the folder was built: they are read from end to end. This
    finds damage, not a forgery.
    """
    try:
        if files.read_json(folder / MANIFEST_NAME)["tag"] != tag:
            return False
        return not manifest.damage(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def ensure_folder(
    folder: Path,
    build: Callable[[Path], None],
    *,
    tag: str,
    needed_bytes: int = 0,
    timeout_seconds: float = 900.0,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Returns `folder`, building it first when it is missing or damaged.

    `build` fills a temporary sibling, which is renamed when it is complete,
    so that no reader ever sees half a folder. Processes that ask at the same
    time wait for each other on a lock file; the operating system frees the
    lock of a process that dies. Where the file system has no locks, each
    process builds and the last ones discard their result.

    `tag` names the content: a folder with another one is rebuilt.
    `needed_bytes` of free space are asked for before building. `progress` is
    called with one line of text per step (None: this module's logger).
    TimeoutError says that another process holds the lock for longer than
    `timeout_seconds`, OSError that the cache cannot be written or the disk is
    full.
    """
    report = progress or logger.info
    if folder_is_valid(folder, tag):
        return folder
    with _cache_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    lock_path = folder.with_name(f"{folder.name}.lock")
    with _locked(lock_path, timeout_seconds, report) as is_locked:
        if folder_is_valid(folder, tag):
            return folder
        if folder.exists():
            report(f"{folder} is incomplete or damaged and is built anew")
        with _cache_errors(folder):
            if is_locked:
                files.remove_unfinished(folder.parent, folder.name)
            _check_free_space(folder, needed_bytes)
            _build_and_rename(folder, build, tag)
    return folder


def _build_and_rename(
    folder: Path, build: Callable[[Path], None], tag: str
) -> None:
    try:
        with files.written_aside(folder) as result:
            result.mkdir()
            build(result)
            manifest.write(result, tag)
            if folder.exists() and not folder_is_valid(folder, tag):
                files.remove(folder)
    except OSError:
        # Without locks another process may have been faster.
        if not folder_is_valid(folder, tag):
            raise


def _check_free_space(folder: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder.parent).free
    if free < needed_bytes:
        raise OSError(
            errno.ENOSPC,
            f"{needed_bytes / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB "
            "are free",
        )


@contextlib.contextmanager
def _cache_errors(folder: Path) -> Iterator[None]:
    """Turns any OSError into one that tells what to do about it."""
    try:
        yield
    except BlockingIOError:  # a lock that is held is no error of the folder
        raise
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            "The cache folder could not be written. Received: "
            f"{folder.parent}: {error}. Set {CACHE_VARIABLE} to a folder "
            "with enough free space that can be written",
        ) from error


@contextlib.contextmanager
def _locked(
    path: Path, timeout_seconds: float, report: Callable[[str], None]
) -> Iterator[bool]:
    def say() -> None:
        report(f"waiting for another process that holds {path}")

    lock = files.locked(path, timeout_seconds=timeout_seconds, on_wait=say)
    with contextlib.ExitStack() as stack:
        try:
            with _cache_errors(path):
                is_held = stack.enter_context(lock).is_held
        except BlockingIOError:
            raise TimeoutError(
                f"Another process still holds {path} after waiting. "
                f"Received: a time-out of {timeout_seconds:g} s. End "
                "that process, or set "
                f"{CACHE_VARIABLE} to another folder."
            ) from None
        yield is_held
