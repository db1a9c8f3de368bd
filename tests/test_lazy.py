"""Tests of the modules that are imported on first use."""

import sys

import pytest
import tensorflow
import tensorflow_text

from dlfa_tf import lazy
from dlfa_tf.lazy import tf
from dlfa_tf.lazy import tf_text
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.preprocessing import TaggingPreprocessor


def test_names_are_those_of_the_modules():
    assert tf.constant is tensorflow.constant
    assert tf.__version__ == tensorflow.__version__
    assert tf_text.FastWordpieceTokenizer is (
        tensorflow_text.FastWordpieceTokenizer
    )
    name = "tensorflow.core.protobuf.saved_model_pb2"
    assert lazy.submodule(name) is sys.modules[name]


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tf.no_such_name


@pytest.fixture(params=["tensorflow", "tensorflow_text"])
def without_tensorflow(request, monkeypatch):
    """Either of the two is not installed."""
    monkeypatch.setitem(sys.modules, request.param, None)


@pytest.mark.parametrize(
    ("ask", "wanted"),
    [
        (lambda: tf.data, "tf.data"),
        (lambda: tf_text.BertTokenizer, "tf_text.BertTokenizer"),
        (lambda: lazy.submodule("tensorflow.core"), "tensorflow.core"),
    ],
    ids=["tf", "tf_text", "submodule"],
)
def test_message_without_tensorflow(without_tensorflow, ask, wanted):
    with pytest.raises(ImportError) as caught:
        ask()
    message = str(caught.value)
    assert message.startswith(f"`{wanted}` needs the packages `tensorflow` and")
    assert "pip install" in message
    assert "tensorflow-text==" in message
    assert "prepared token arrays" in message


@pytest.mark.parametrize("cls", [PairPreprocessor, TaggingPreprocessor])
def test_preprocessor_without_tensorflow_text(monkeypatch, cls):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    preprocessor = cls(load_tokenizer("tiny"))
    with pytest.raises(ImportError, match="needs the packages `tensorflow`"):
        preprocessor(["a b"])
