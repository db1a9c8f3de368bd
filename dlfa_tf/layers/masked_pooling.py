"""Mean over time that ignores padding."""

import keras
from keras import ops

from dlfa_tf import checks
from dlfa_tf.types import Shape
from dlfa_tf.types import Tensor


# keras.layers.GlobalAveragePooling1D is not used for two reasons, both seen
# with Keras 3.15.1: a row without a real token gives 0 / 0 = NaN there, and
# the sum runs in the compute dtype, so that 512 tokens of value 200 overflow
# to infinity under mixed_float16.
@keras.saving.register_keras_serializable(package="dlfa_tf")
class MaskedAveragePooling(keras.layers.Layer):
    """Averages a sequence over its real tokens.

    Used by the global branch of AIF to sum a sequence up in one vector:
    `y[b] = sum_t mask[b, t] * x[b, t] / max(1, sum_t mask[b, t])`. Padded
    positions never enter the sum, whatever they hold, so longer padding
    changes nothing. A row without any real token gives zeros. The sum runs
    in float32 under mixed policies and is cast back at the end.

    The layer reads the mask, explicit or attached to `x`, and drops it on
    purpose, because it consumes the time axis.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        x: Tensor `(batch, time, dim)`.
        mask: Optional bool tensor `(batch, time)`, True for real tokens.
            Without one, every position is a real token.

    Returns:
        Tensor `(batch, dim)`, dtype of the compute policy.

    Raises:
        ValueError: when `x` is not of rank 3, its width is unknown, or `mask`
            does not fit it.

    Example:
        import numpy as np
        from dlfa_tf.layers import MaskedAveragePooling

        x = np.array([[[1.0], [3.0], [99.0]]], "float32")
        mask = np.array([[True, True, False]])
        mean = MaskedAveragePooling()(x, mask=mask)  # [[2.0]]

    Reference:
        - Chen et al., 2022, equation 1: the global branch reads a pooled
          vector; that padding is left out is our reading.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, x_shape: Shape) -> None:
        """Checks the shape; the layer has no weights."""
        checks.check_sequence_shape("x", x_shape)

    def call(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Averages over real tokens, see the class."""
        dtype = keras.backend.result_type(x.dtype, "float32")
        x = ops.cast(x, dtype)
        if mask is None:
            mean = ops.mean(x, axis=1)
        else:
            checks.check_mask_shape("x", x.shape, mask.shape)
            real = ops.expand_dims(ops.cast(mask, "bool"), axis=-1)
            # A choice, not a product: NaN times 0 would still be NaN.
            total = ops.sum(ops.where(real, x, ops.zeros_like(x)), axis=1)
            count = ops.sum(ops.cast(real, dtype), axis=1)
            mean = total / ops.maximum(count, ops.ones_like(count))
        return ops.cast(mean, self.compute_dtype)

    def compute_mask(self, x: Tensor, mask: Tensor | None = None) -> None:
        """Returns None: the time axis is gone."""
        return None

    def compute_output_shape(self, x_shape: Shape) -> Shape:
        """Returns `(batch, dim)`."""
        return (x_shape[0], x_shape[2])
