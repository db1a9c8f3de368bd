"""Faults from outside: what is shared, and the count of what was tried."""

import collections
import os
import pathlib
import subprocess

import pytest

# Kind of fault -> how often each thing happened.
COUNTS: dict[str, collections.Counter] = collections.defaultdict(
    collections.Counter
)


@pytest.fixture
def count():
    """`count(kind, outcome)`: for the table at the end of the run."""

    def count(kind: str, outcome: str, times: int = 1) -> None:
        COUNTS[kind][outcome] += times

    return count


def pytest_terminal_summary(terminalreporter):
    for kind, found in sorted(COUNTS.items()):
        what = ", ".join(f"{n} {name}" for name, n in sorted(found.items()))
        terminalreporter.write_line(f"{kind}: {found.total()} tried: {what}")


@pytest.fixture
def small_disk(tmp_path):
    """`small_disk(bytes)`: a folder on a disk of its own, of this size.

    Skips where this user may not mount one.
    """
    mounted: list[pathlib.Path] = []

    def small_disk(size: int) -> pathlib.Path:
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        options = ["-o", f"size={size},nr_inodes=0"]
        if os.geteuid() or _run(
            "mount", "-t", "tmpfs", *options, "tmpfs", folder
        ):
            pytest.skip("this user may not mount a tmpfs")
        mounted.append(folder)
        return folder

    yield small_disk
    for folder in mounted:
        _run("umount", "-l", folder)


@pytest.fixture
def resize():
    """`resize(disk, bytes)`, and `resize(disk, "ro")` to lock it."""

    def resize(folder, size):
        option = size if isinstance(size, str) else f"rw,size={size}"
        assert not _run("mount", "-o", f"remount,{option}", folder)

    return resize


def _run(*command) -> int:
    command = [str(part) for part in command]
    return subprocess.run(command, capture_output=True).returncode
