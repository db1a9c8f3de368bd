"""Tests of folders that are built once, shared and checked."""

import errno
import fcntl
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlfa_tf import cache_folder
from dlfa_tf.cache_folder import cache_root
from dlfa_tf.cache_folder import ensure_folder
from dlfa_tf.cache_folder import folder_is_valid

# The module needs the standard library only, so that a process that runs it
# by its path starts at once.
CHILD = """
import runpy, sys, time
from pathlib import Path
module, folder, log, seconds = sys.argv[1:]
def build(path):
    with open(log, "a") as stream:
        stream.write("built\\n")
    (path / "part").write_text("a")
    time.sleep(float(seconds))
    (path / "rest").write_text("b")
names = runpy.run_path(module)
names["ensure_folder"](Path(folder), build, tag="t")
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache" / "thing"


def build_thing(path):
    (path / "sub").mkdir()
    (path / "sub" / "weights").write_bytes(bytes(range(100)))
    (path / "config").write_text("{}")


def start_child(folder, log, seconds):
    command = [sys.executable, "-c", CHILD, cache_folder.__file__]
    return subprocess.Popen([*command, str(folder), str(log), str(seconds)])


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def leftovers(folder):
    return list(folder.parent.glob(f".{folder.name}.*.tmp"))


def test_folder_is_built_once(folder):
    calls = []

    def build(path):
        calls.append(path)
        build_thing(path)

    for _ in range(2):
        assert ensure_folder(folder, build, tag="t") == folder
    assert len(calls) == 1
    assert folder_is_valid(folder, "t")
    assert leftovers(folder) == []


def test_other_tag_is_built_anew(folder):
    ensure_folder(folder, build_thing, tag="old")
    assert not folder_is_valid(folder, "new")
    ensure_folder(folder, build_thing, tag="new")
    assert folder_is_valid(folder, "new")


def truncate(path):
    weights = path / "sub" / "weights"
    weights.write_bytes(weights.read_bytes()[:-1])


def flip(path):
    weights = path / "sub" / "weights"
    weights.write_bytes(b"x" + weights.read_bytes()[1:])


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        flip,
        lambda path: (path / "config").unlink(),
        lambda path: (path / cache_folder.MANIFEST_NAME).unlink(),
        lambda path: (path / cache_folder.MANIFEST_NAME).write_text("[]"),
        lambda path: (path / cache_folder.MANIFEST_NAME).write_text("{"),
    ],
    ids=["cut", "flipped", "missing", "no manifest", "list", "no json"],
)
def test_damaged_folder_is_built_anew(folder, damage):
    ensure_folder(folder, build_thing, tag="t")
    damage(folder)
    assert not folder_is_valid(folder, "t")
    lines = []
    ensure_folder(folder, build_thing, tag="t", progress=lines.append)
    assert folder_is_valid(folder, "t")
    assert any("damaged" in line for line in lines)
    assert leftovers(folder) == []


def test_failed_build_leaves_nothing(folder):
    def build(path):
        (path / "part").write_text("a")
        raise ValueError("no luck")

    with pytest.raises(ValueError, match="no luck"):
        ensure_folder(folder, build, tag="t")
    assert not folder.exists()
    assert leftovers(folder) == []


def test_two_processes_build_once(folder, tmp_path):
    log = tmp_path / "log"
    children = [start_child(folder, log, 0.5) for _ in range(2)]
    assert [child.wait(timeout=30) for child in children] == [0, 0]
    assert log.read_text() == "built\n"
    assert folder_is_valid(folder, "t")
    assert leftovers(folder) == []


def test_killed_process_blocks_nobody(folder, tmp_path):
    log = tmp_path / "log"
    child = start_child(folder, log, 60)
    wait_until(lambda: leftovers(folder) and log.exists())
    child.kill()
    child.wait(timeout=30)
    assert not folder.exists()
    ensure_folder(folder, build_thing, tag="t", timeout_seconds=5)
    assert folder_is_valid(folder, "t")
    assert leftovers(folder) == []


def test_without_locks_the_loser_discards(folder, monkeypatch):
    def no_lock(descriptor, operation):
        raise OSError(errno.ENOLCK, "no locks available")

    barrier = threading.Barrier(2, timeout=20)
    results = []

    def build(path):
        build_thing(path)
        barrier.wait()

    def ask():
        results.append(ensure_folder(folder, build, tag="t"))

    monkeypatch.setattr(fcntl, "flock", no_lock)
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [folder, folder]
    assert folder_is_valid(folder, "t")
    assert leftovers(folder) == []


def test_held_lock_times_out(folder):
    folder.parent.mkdir(parents=True)
    lines = []
    with folder.with_name("thing.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match="thing.lock.*0.2 s.*DLFA_TF"):
            ensure_folder(
                folder,
                build_thing,
                tag="t",
                timeout_seconds=0.2,
                progress=lines.append,
            )
    assert len(lines) == 1
    assert "waiting" in lines[0]


def test_unwritable_cache_names_the_variable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="could not be written.*DLFA_TF_CACHE"):
        ensure_folder(tmp_path / "file" / "x" / "y", build_thing, tag="t")


def test_small_disk_is_noticed_before_building(folder, monkeypatch):
    monkeypatch.setattr(
        cache_folder.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6)
    )
    with pytest.raises(OSError, match="500 MB are needed, 1 MB.*DLFA_TF_CACHE"):
        ensure_folder(folder, pytest.fail, tag="t", needed_bytes=500_000_000)


def test_disk_that_fills_up_names_the_variable(folder):
    def build(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left.*DLFA_TF_CACHE") as error:
        ensure_folder(folder, build, tag="t")
    assert error.value.errno == errno.ENOSPC
    assert leftovers(folder) == []


def test_cache_root_prefers_argument_then_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("DLFA_TF_CACHE", str(tmp_path / "b"))
    assert cache_root(tmp_path / "a") == tmp_path / "a"
    assert cache_root() == tmp_path / "b"
    monkeypatch.setenv("DLFA_TF_CACHE", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "dlfa_tf"


def test_cache_root_is_a_path_as_all_others(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DLFA_TF_CACHE", "~/here")
    assert cache_root() == tmp_path / "here"
    assert cache_root(b"~/there") == tmp_path / "there"
    with pytest.raises(TypeError, match="must be a path. Received: 3"):
        cache_root(3)


def test_cache_root_without_home_names_the_variable(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("DLFA_TF_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(OSError, match="Set DLFA_TF_CACHE"):
        cache_root()
