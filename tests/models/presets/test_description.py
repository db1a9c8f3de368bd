"""Tests of what is said of a preset."""

import pytest

from dlfa_tf.models.presets import description
from tests.models.presets import checkpoint_writer


@pytest.fixture
def folder(tmp_path):
    checkpoint_writer.write_hugging_face(
        tmp_path, "bert", checkpoint_writer.make_tensors(pooler=False)
    )
    checkpoint_writer.write_vocabulary(tmp_path, do_lower_case=False)
    (tmp_path / "LICENSE").write_text("Apache\n")
    return tmp_path


def test_checkpoint_is_described(folder):
    found = description.describe_preset(str(folder))
    assert found.form == "Hugging Face"
    assert (found.blocks, found.width, found.heads) == (2, 8, 2)
    assert (found.positions, found.vocabulary_rows) == (16, 8)
    assert found.activation == "gelu"
    assert found.pooler == "none: a new one, random at first"
    assert (found.tokenizer, found.cased) == ("BertTokenizer, 8 pieces", True)
    assert found.tokenizer_error is None
    assert found.licence == "LICENSE"
    assert found.files["vocab.txt"] == (folder / "vocab.txt").stat().st_size
    assert folder.name in found.source
    # A results file names no folder of this machine.
    assert str(folder) not in found.source


def test_preset_of_keras_hub_is_described():
    found = description.describe_preset("tiny")
    assert found.form == "keras-hub preset"
    assert (found.activation, found.pooler) == ("gelu_tanh", "its own")
    assert (found.licence, found.files) == (None, {})


def test_vocabulary_that_cannot_be_used_is_told(folder):
    checkpoint_writer.write_vocabulary(folder, do_lower_case=True)
    found = description.describe_preset(str(folder))
    assert "uncased" in found.tokenizer_error
    assert found.tokenizer is None


def test_encoder_that_cannot_be_loaded_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no weights in a form"):
        description.describe_preset(str(folder))
