"""SentencePiece with XLM-R's ids as one graph op."""

import hashlib
from collections.abc import Callable
from typing import Any

from dlfa_tf import lazy
from dlfa_tf.lazy import tf

# XLM-R's own normaliser turns the zero-width joiner into a space. That of
# today's sentencepiece, with which `e5_small_multi` is converted, keeps it, and
# it becomes an unknown piece within Malayalam, Marathi or Sinhala words. Where
# the model does it itself, doing it before changes nothing.
_JOINER = "\u200d"

# Characters of a text that are read. The sentencepiece inside TensorFlow Text
# 2.20 joins a run of unknown characters into one piece by appending, in time by
# the square of its length (benchmarks/tokenizing.py); megabytes of them block a
# server that anybody can ask. A piece has 16 characters at most, so the rest of
# a text that is cut here could only reach a row of more than 1,024 pieces, or
# follow on as many spaces or unknown characters.
LONGEST_TEXT = 16_384


def sentencepiece_function(tokenizer: Any) -> tuple[Callable[[Any], Any], Any]:
    """Builds a tokenising function from an `XLMRobertaTokenizer`'s model.

    keras-hub's tokenizer answers an eager call with Python lists and a graph
    call with ragged tensors; the op itself is used here so that all three
    ways of running (eager, `tf.data`, SavedModel) take the same path.

    The function maps strings `(n,)` to an int32 RaggedTensor `(n, pieces)` of
    XLM-R ids. With it comes the TensorFlow resource that an export must track.

    Reference:
        - fairseq's XLM-R numbering: <s> 0, <pad> 1, </s> 2, <unk> 3, then
          SentencePiece id + 1.
    """
    ops = _sentencepiece_ops()
    # Created outside any graph that is being traced, or the resource would
    # die with that graph.
    with tf.init_scope():
        model = _model_resource(tokenizer.proto)
        handle = model.resource_handle
    unk_id = tokenizer.unk_token_id

    def tokenize(texts: Any) -> Any:
        ids, splits = ops.sentencepiece_tokenize_op(
            handle,
            tf.strings.regex_replace(
                tf.strings.substr(texts, 0, LONGEST_TEXT, unit="UTF8_CHAR"),
                _JOINER,
                " ",
            ),
            nbest_size=0,
            alpha=1.0,
            add_bos=False,
            add_eos=False,
            reverse=False,
            out_type=tf.int32,
        )
        shifted = tf.where(ids == 0, unk_id, ids + 1)
        return tf.RaggedTensor.from_row_splits(shifted, splits, validate=False)

    return tokenize, model


def _model_resource(proto: bytes) -> Any:
    """Puts a SentencePiece model into a resource with a name of its own.

    The resource of TensorFlow Text's own class has no name, therefore belongs
    to the op that made it and dies when TensorFlow clears its cache of ops,
    as `keras.utils.set_random_seed` and `keras.utils.clear_session` make it
    do (tensorflow/text issue 570). A named one stays, one per vocabulary.
    """
    ops = _sentencepiece_ops()
    name = f"sentencepiece_{hashlib.sha256(proto).hexdigest()}"

    base: Any = tf.saved_model.experimental.TrackableResource

    class SentencePieceModel(base):
        """What a SavedModel creates anew when it is loaded."""

        def _create_resource(self) -> Any:
            return ops.sentencepiece_op(model=proto, shared_name=name)

    return SentencePieceModel()


def _sentencepiece_ops() -> Any:
    """The generated op functions of TensorFlow Text."""
    name = "tensorflow_text.python.ops.sentencepiece_tokenizer"
    return lazy.submodule(name).gen_sentencepiece_tokenizer
