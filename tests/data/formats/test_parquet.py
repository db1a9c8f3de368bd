"""Parquet by pyarrow, and the error where it is not installed."""

import json
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from dlfa_tf.data import formats
from dlfa_tf.data.formats import Sentence


@pytest.fixture
def write(tmp_path):
    """Writes columns to a file, with the note of Hugging Face's `datasets`."""

    def writer(columns, features=None):
        table = pa.table(columns)
        if features:
            note = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": note})
        parquet.write_table(table, tmp_path / "a.parquet")
        return tmp_path / "a.parquet"

    return writer


def test_rows(write):
    path = write({"text": ["a", "b "], "stars": [1, 5]})
    found = formats.read_rows(path, {"x": "text", "y": "stars"})
    assert [tuple(row) for row in found] == [
        (1, {"x": "a", "y": "1"}),
        (2, {"x": "b", "y": "5"}),
    ]
    assert formats.column_names(path) == ["text", "stars"]


def test_numbers_of_labels_become_names(write):
    names = {"_type": "ClassLabel", "names": ["no", "yes"]}
    path = write({"text": ["a", "b"], "label": [1, 0]}, {"label": names})
    found = formats.read_rows(path, {"y": "label"})
    assert [row.values["y"] for row in found] == ["yes", "no"]


def test_label_that_is_not_given_is_null(write):
    names = {"_type": "ClassLabel", "names": ["no", "yes"]}
    path = write({"label": [-1]}, {"label": names})
    with pytest.raises(ValueError, match="line 1: 'label' is null"):
        list(formats.read_rows(path, {"y": "label"}))


def test_sentences(write):
    tags = {"_type": "ClassLabel", "names": ["NOUN", "DET"]}
    path = write(
        {"tokens": [["the", "dog"]], "pos_tags": [[1, 0]]},
        {"pos_tags": {"_type": "List", "feature": tags}},
    )
    found = formats.read_sentences(
        path, word_column="tokens", tag_column="pos_tags"
    )
    assert list(found) == [Sentence(1, ("the", "dog"), ("DET", "NOUN"))]


def test_column_that_is_not_there(write):
    path = write({"text": ["a"]})
    with pytest.raises(ValueError, match="no value 'label'.*Accepted"):
        list(formats.read_rows(path, {"x": "text", "y": "label"}))


def test_file_that_is_no_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_text("a,b\n")
    with pytest.raises(ValueError, match=r"a\.parquet: not a Parquet file"):
        list(formats.read_rows(path, {"x": "a"}))
    with pytest.raises(FileNotFoundError):
        list(formats.read_rows(tmp_path / "b.parquet", {"x": "a"}))


def test_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        list(formats.read_rows(tmp_path / "a.parquet", {"x": "a"}))
