"""Tests of the metadata file of an export."""

import importlib.metadata
import json

import pytest

from dlfa_tf.serving.contract import METADATA
from dlfa_tf.serving.export.metadata_file import KEYS
from dlfa_tf.serving.export.metadata_file import read_metadata
from dlfa_tf.serving.export.metadata_file import write_metadata


def test_export_says_what_it_is(tagger_export, classifier_export):
    found = read_metadata(tagger_export)
    assert set(found) == KEYS | {"quantization"}
    assert found["name"] == found["run"]["task"] == "tagger"
    assert found["kind"] == "tagger"
    card = (tagger_export / "README.md").read_text("utf-8")
    assert "Client.of_export" in card
    assert found["labels"] == ["A", "B", "C", "D"]
    assert (found["fusion_layer"], found["gate"]) == (1, "feature")
    assert found["label_piece"] == "first"
    assert found["sequence_length"] == 16
    assert found["max_batch_size"] == 4
    assert found["minimum_server_version"] == "2.20.0"
    assert found["signatures"] == ["embed", "serving_default", "tag_words"]
    keras = importlib.metadata.version("keras")
    assert found["packages"]["keras"] == keras
    other = read_metadata(classifier_export)
    assert (other["fusion_layer"], other["gate"]) == (None, None)
    assert other["label_piece"] is None


def test_other_schema_is_refused(tmp_path):
    write_metadata(tmp_path, {"schema": 9})
    with pytest.raises(ValueError, match="Received: 9. Accepted: 1"):
        read_metadata(tmp_path)
    (tmp_path / METADATA).write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="Received: None"):
        read_metadata(tmp_path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="written by `trainers.export`"):
        read_metadata(tmp_path)
