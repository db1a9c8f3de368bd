"""Tests of the files of a run folder."""

import pytest

from dlfa_tf.files import write_json
from dlfa_tf.runs.run_folder import SCHEMA
from dlfa_tf.runs.run_folder import check_output_dir
from dlfa_tf.runs.run_folder import read_results


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
