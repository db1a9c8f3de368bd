"""Tests of files written aside, and of what a killed process leaves."""

import fcntl
import json
import os
import pathlib
import subprocess
import sys

import pytest

from dlfa_tf.files import append_json_line
from dlfa_tf.files import check_can_be_made
from dlfa_tf.files import is_unfinished
from dlfa_tf.files import locked
from dlfa_tf.files import read_json
from dlfa_tf.files import remove_unfinished
from dlfa_tf.files import user_path
from dlfa_tf.files import write_json
from dlfa_tf.files import write_text
from dlfa_tf.files import written_aside
from tools import unprivileged


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_text_is_written_as_utf8_without_leftovers(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "猫\n")
    write_text(path, "кот\n")
    assert path.read_bytes() == "кот\n".encode()
    assert names(path.parent) == ["a.txt"]


def test_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(*arguments):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


def test_file_gets_its_name_in_the_end(tmp_path):
    path = tmp_path / "a.bin"
    path.write_text("old")
    with written_aside(path, suffix=".npz", durable=True) as temporary:
        temporary.write_text("new")
        assert is_unfinished(temporary)
        assert is_unfinished(temporary, "a.bin")
        assert not is_unfinished(temporary, "a")
        assert temporary.name.endswith(".npz")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.bin"]


def test_two_of_one_process_write_under_two_names(tmp_path):
    with written_aside(tmp_path / "a") as one:
        with written_aside(tmp_path / "a") as other:
            assert one != other
            other.write_text("first")
        one.write_text("second")
    assert (tmp_path / "a").read_text() == "second"
    assert names(tmp_path) == ["a"]


def write_folder(path, text, **options):
    with written_aside(path, **options) as temporary:
        (temporary / "deep").mkdir(parents=True)
        (temporary / "deep" / "a").write_text(text)


def test_folder_is_replaced_only_when_asked_for(tmp_path):
    folder = tmp_path / "model"
    write_folder(folder, "one")
    with pytest.raises(OSError):
        write_folder(folder, "two")
    assert (folder / "deep" / "a").read_text() == "one"
    assert names(tmp_path) == ["model"]
    write_folder(folder, "two", replace=True)
    assert (folder / "deep" / "a").read_text() == "two"
    assert names(tmp_path) == ["model"]


def test_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with written_aside(tmp_path / "model") as temporary:
            temporary.mkdir()
            (temporary / "a").touch()
            raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_json_is_sorted_and_ends_with_a_line_end(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [None, 0.5]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": [None, 0.5], "b": 1}
    assert read_json(tmp_path / "a.json") == {"a": [None, 0.5], "b": 1}
    assert text.index('"a"') < text.index('"b"')
    assert text.endswith("}\n")


def test_json_lines_are_added(tmp_path):
    path = tmp_path / "new" / "a.jsonl"
    append_json_line(path, {"b": 1, "a": 2})
    append_json_line(path, {"c": 3})
    text = path.read_text(encoding="utf-8")
    assert text == '{"a": 2, "b": 1}\n{"c": 3}\n'


def test_only_what_was_not_written_to_the_end_is_removed(tmp_path):
    for name in (".config.json.12.tmp", "predictions/.a.tsv.3.tmp", ".mine"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".model.7.tmp").mkdir()
    remove_unfinished(tmp_path)
    left = sorted(p.name for p in tmp_path.rglob("*"))
    assert left == [".mine", "predictions"]


def test_only_what_was_to_have_the_name_is_removed(tmp_path):
    for name in (".a.1.tmp", ".a.b.2.tmp", ".b.3.tmp", "deep/.a.4.tmp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    remove_unfinished(tmp_path, "a")
    left = sorted(p.name for p in tmp_path.rglob(".*"))
    assert left == [".a.4.tmp", ".a.b.2.tmp", ".b.3.tmp"]


@pytest.mark.parametrize("name", ["folder", "file.lock"])
def test_lock_keeps_a_second_one_out(tmp_path, name):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    waits = []
    with locked(path) as lock:
        assert lock.is_held
        with pytest.raises(BlockingIOError):
            with locked(path):
                pytest.fail("locked twice")
        with pytest.raises(BlockingIOError):
            with locked(
                path, timeout_seconds=0.05, on_wait=lambda: waits.append(1)
            ):
                pytest.fail("locked twice")
    assert waits == [1]
    with locked(path) as lock:
        assert lock.is_held


def test_child_keeps_the_lock_that_it_inherits(tmp_path):
    path = tmp_path / "lock"
    with locked(path) as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"],
            stdin=subprocess.PIPE,
            pass_fds=(lock.descriptor,),
        )
    with pytest.raises(BlockingIOError):
        with locked(path):
            pytest.fail("locked twice")
    child.communicate(b"\n", timeout=20)
    with locked(path) as lock:
        assert lock.is_held


def test_file_system_without_locks_stops_nobody(tmp_path, monkeypatch):
    def no_lock(descriptor, operation):
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", no_lock)
    with locked(tmp_path) as lock:
        assert not lock.is_held


def test_path_of_a_user_knows_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/m/") == tmp_path / "m"
    assert user_path(b"~/m") == tmp_path / "m"
    assert user_path(pathlib.Path("~") / "m") == tmp_path / "m"
    assert user_path("~") == tmp_path
    # A folder that is called so.
    assert user_path("./~/m") == pathlib.Path("~/m")
    assert user_path("a~") == pathlib.Path("a~")


@pytest.mark.parametrize(
    ("path", "error"),
    [(None, TypeError), (3, TypeError), (["a"], TypeError), ("", ValueError),
     ("a\0b", ValueError), ("file:///a", ValueError),
     (b"FILE://a", ValueError)],
)  # fmt: skip
def test_what_is_no_path_is_refused(path, error):
    with pytest.raises(error, match="`runs_dir` must be a path. Received: "):
        user_path(path, "runs_dir")


def test_folders_that_can_be_made_are_told_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "locked").mkdir(mode=0o500)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for name in ("new", "deep/er/new", "."):
        check_can_be_made(tmp_path / name, "output_dir")
    with unprivileged.unprivileged():
        for name, error in (
            ("file", NotADirectoryError),
            ("file/new", NotADirectoryError),
            ("file/deep/er", NotADirectoryError),
            ("dangling", FileNotFoundError),
            ("dangling/new", FileNotFoundError),
            ("locked", PermissionError),
            ("locked/deep/er", PermissionError),
        ):
            with pytest.raises(error, match="`output_dir` .*Received: .*Accep"):
                check_can_be_made(tmp_path / name, "output_dir")
    assert names(tmp_path) == ["dangling", "file", "locked"]
