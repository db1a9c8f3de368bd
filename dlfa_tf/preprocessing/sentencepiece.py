"""SentencePiece with XLM-R's ids as one graph op."""

from collections.abc import Callable
from typing import Any

from dlfa_tf.preprocessing.tensorflow_import import require_tensorflow
from dlfa_tf.preprocessing.tensorflow_import import require_tensorflow_text


def sentencepiece_function(tokenizer: Any) -> tuple[Callable[[Any], Any], Any]:
    """Builds a tokenising function from an `XLMRobertaTokenizer`'s model.

    keras-hub's tokenizer answers an eager call with Python lists and a graph
    call with ragged tensors; the op itself is used here so that all three
    ways of running (eager, `tf.data`, SavedModel) take the same path.

    Args:
        tokenizer: keras-hub `XLMRobertaTokenizer` with a proto.

    Returns:
        A pair: a function from a string tensor `(n,)` to an int32
        RaggedTensor `(n, pieces)` of XLM-R ids, and the TensorFlow resource
        that an export must track.

    Reference:
        - fairseq's XLM-R numbering: <s> 0, <pad> 1, </s> 2, <unk> 3, then
          SentencePiece id + 1.
    """
    tf = require_tensorflow("SentencePiece")
    tf_text = require_tensorflow_text("SentencePiece")
    # Created outside any graph that is being traced, or the resource would
    # die with that graph.
    with tf.init_scope():
        model = tf_text.SentencepieceTokenizer(
            model=tokenizer.proto, out_type=tf.int32
        )
    unk_id = tokenizer.unk_token_id

    def tokenize(texts: Any) -> Any:
        ids = model.tokenize(texts)
        shifted = tf.where(ids.flat_values == 0, unk_id, ids.flat_values + 1)
        return ids.with_flat_values(shifted)

    return tokenize, model
