"""Tests of files written aside, and of what a killed process leaves."""

import json
import os

import pytest

from dlfa_tf.files import append_json_line
from dlfa_tf.files import remove_unfinished
from dlfa_tf.files import write_json
from dlfa_tf.files import write_text


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


def test_json_is_sorted_and_ends_with_a_line_end(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [None, 0.5]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": [None, 0.5], "b": 1}
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
