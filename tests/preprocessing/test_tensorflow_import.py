"""Tests of the message that says what a missing TensorFlow means."""

import pytest
import tensorflow as tf
import tensorflow_text

from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.preprocessing import TaggingPreprocessor
from dlfa_tf.preprocessing import tensorflow_import
from dlfa_tf.preprocessing.tensorflow_import import require_tensorflow
from dlfa_tf.preprocessing.tensorflow_import import require_tensorflow_text


def test_modules_are_returned_where_installed():
    assert require_tensorflow("x") is tf
    assert require_tensorflow_text("x") is tensorflow_text


@pytest.fixture
def without_tensorflow(monkeypatch):
    monkeypatch.setattr(tensorflow_import, "tf", None)
    monkeypatch.setattr(tensorflow_import, "tf_text", None)


@pytest.mark.parametrize(
    "require", [require_tensorflow, require_tensorflow_text]
)
def test_message_without_tensorflow(without_tensorflow, require):
    with pytest.raises(ImportError) as caught:
        require("The thing")
    message = str(caught.value)
    assert message.startswith("The thing needs the packages `tensorflow` and")
    assert "pip install" in message
    assert "tensorflow-text==" in message
    assert "prepared token arrays" in message


@pytest.mark.parametrize("cls", [PairPreprocessor, TaggingPreprocessor])
def test_preprocessor_without_tensorflow(
    without_tensorflow, bert_tokenizer, cls
):
    preprocessor = cls(bert_tokenizer)
    with pytest.raises(ImportError, match="needs the packages `tensorflow`"):
        preprocessor(["a b"])
