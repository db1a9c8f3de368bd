"""Tests of the files of a run folder."""

import json
import os

import pytest

from dlfa_tf.evaluation.run_folder import SCHEMA
from dlfa_tf.evaluation.run_folder import append_json_line
from dlfa_tf.evaluation.run_folder import check_output_dir
from dlfa_tf.evaluation.run_folder import read_results
from dlfa_tf.evaluation.run_folder import write_json
from dlfa_tf.evaluation.run_folder import write_predictions
from dlfa_tf.evaluation.run_folder import write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_and_empty_folders_are_accepted_and_not_made(tmp_path):
    check_output_dir(str(tmp_path))
    check_output_dir(str(tmp_path / "new" / "folder"))
    assert names(tmp_path) == []


def test_folder_with_content_is_refused(tmp_path):
    for i in range(9):
        (tmp_path / f"file{i}").touch()
    with pytest.raises(FileExistsError) as caught:
        check_output_dir(str(tmp_path))
    message = str(caught.value)
    assert "`output_dir` has content" in message
    assert str(tmp_path) in message
    assert "file0" in message
    assert "file8" not in message


def test_folder_with_a_hidden_file_is_refused(tmp_path):
    (tmp_path / ".hidden").touch()
    with pytest.raises(FileExistsError, match=".hidden"):
        check_output_dir(str(tmp_path))


def test_file_is_refused(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(NotADirectoryError, match="`output_dir` is a file"):
        check_output_dir(str(tmp_path / "a"))


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


def test_predicted_labels_stand_one_per_line(tmp_path):
    write_predictions(tmp_path, "test", "de", ["0", "1", "1"])
    path = tmp_path / "predictions" / "test-de.tsv"
    assert path.read_text(encoding="utf-8") == "0\n1\n1\n"


def test_predicted_tags_have_a_blank_line_after_each_sentence(tmp_path):
    write_predictions(tmp_path, "dev", "zh", [["A", "B"], ["C"]])
    path = tmp_path / "predictions" / "dev-zh.tsv"
    assert path.read_text(encoding="utf-8") == "A\nB\n\nC\n\n"
    assert names(path.parent) == ["dev-zh.tsv"]


def test_results_are_read_back(tmp_path):
    results = {"schema": SCHEMA, "score": "pos_f1"}
    write_json(tmp_path / "results.json", results)
    assert read_results(tmp_path) == results
    assert read_results(str(tmp_path)) == results


def test_folder_without_results(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no results.json"):
        read_results(tmp_path)


@pytest.mark.parametrize("schema", [0, SCHEMA + 1, None])
def test_results_of_another_schema_are_refused(tmp_path, schema):
    write_json(tmp_path / "results.json", {"schema": schema})
    with pytest.raises(ValueError, match=f"unknown schema.*: {schema}.*: 1"):
        read_results(tmp_path)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
