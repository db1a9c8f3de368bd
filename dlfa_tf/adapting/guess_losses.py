"""Cross entropy of guesses over a large vocabulary, by TensorFlow.

The logits of a step are its largest tensor by far. Keras' loss and its gradient
go through them a dozen times, in float32; here softmax is the only pass beside
the two products of matrices, in the dtype of the vectors.
"""

from typing import Any

from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL

# The smallest share of a right guess; float32 has no smaller
# normal number. Its loss of 87 is the largest there is.
_SMALLEST = 1.2e-38


def guess_losses(vectors: Any, table: Any, bias: Any, labels: Any) -> Any:
    """Cross entropy of `vectors @ table.T + bias`, and its gradient.

    Args:
        vectors: float32 or bfloat16 `(batch, guesses, dim)`; in float16 the
            share of a right guess would be too small a number.
        table: Tensor `(vocabulary_size, dim)`, the token embedding.
        bias: Tensor `(vocabulary_size,)`.
        labels: int32 `(batch, guesses)`, -1 for no guess.

    Returns:
        float32 `(batch, guesses)`, 0 where there is no guess. In bfloat16 the
        share of a right guess is rounded: 0.4 % of it, 0.004 in the loss.
    """
    dtype = vectors.dtype
    losses = _losses(
        tf.reshape(vectors, [-1, vectors.shape[-1]]),
        tf.cast(table, dtype),
        tf.cast(bias, dtype),
        tf.reshape(labels, [-1]),
    )
    return tf.reshape(losses, tf.shape(labels))


def _losses(vectors: Any, table: Any, bias: Any, labels: Any) -> Any:
    is_guess = labels != IGNORED_LABEL
    own = tf.where(is_guess, labels, 0)

    @tf.custom_gradient
    def compute(vectors: Any, table: Any, bias: Any) -> Any:
        logits = tf.nn.bias_add(
            tf.matmul(vectors, table, transpose_b=True), bias
        )
        shares = tf.nn.softmax(logits)
        right = tf.cast(tf.gather(shares, own, batch_dims=1), tf.float32)
        # Not by `maximum`, which need not let NaN through.
        right = tf.where(right < _SMALLEST, _SMALLEST, right)
        losses = tf.where(is_guess, -tf.math.log(right), 0.0)

        def gradients(upstream: Any) -> Any:
            return _gradients(
                tf.where(is_guess, upstream, 0.0),
                (vectors, table, shares, own),
            )

        return losses, gradients

    return compute(vectors, table, bias)


def _gradients(weights: Any, saved: Any) -> Any:
    """Gradients by vectors, table and bias: shares less one for the right."""
    vectors, table, shares, own = saved
    dtype = vectors.dtype
    mean = tf.matmul(shares, table)
    by_vector = weights[:, None] * tf.cast(
        mean - tf.gather(table, own), tf.float32
    )
    weighted = tf.cast(weights[:, None] * tf.cast(vectors, tf.float32), dtype)
    by_piece = tf.tensor_scatter_nd_sub(
        tf.matmul(shares, weighted, transpose_a=True), own[:, None], weighted
    )
    # Weights are alike, as a rule: without their size they are exact in
    # bfloat16, whose rounding would be that of the whole gradient.
    size = tf.reduce_max(tf.abs(weights))
    relative = tf.math.divide_no_nan(weights, size)
    summed = tf.matmul(tf.cast(relative, dtype)[None], shares)[0]
    by_bias = tf.tensor_scatter_nd_sub(
        size * tf.cast(summed, tf.float32), own[:, None], weights
    )
    return tf.cast(by_vector, dtype), by_piece, tf.cast(by_bias, dtype)
