"""Learned weighted mean of all hidden states: the classic layer fusion."""

from collections.abc import Sequence

import keras
from keras import ops

from dlfa_tf import checks
from dlfa_tf.types import Shape
from dlfa_tf.types import Tensor


@keras.saving.register_keras_serializable(package="dlfa_tf")
class ScalarMix(keras.layers.Layer):
    """Mixes hidden states by one learned weight each.

    What the fusion of equation 2 competes with: `L = gamma * sum_i w_i h_i`
    with `w = softmax(a)`, the same for every position and channel. Starts as
    the plain mean (`a = 0`, `gamma = 1`). The softmax runs in float32.

    Positions are computed one by one, so padding has no effect; a mask
    attached to the inputs is passed on.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        states: list of tensors `(batch, time, dim)`, at least one.

    Returns:
        Tensor `(batch, time, dim)`, dtype of the compute policy.

    Raises:
        ValueError: when there are no states or their shapes differ.

    Example:
        import numpy as np
        from dlfa_tf.layers import ScalarMix

        states = [np.full((1, 3, 4), 2.0), np.full((1, 3, 4), 4.0)]
        mixed = ScalarMix()(states)  # 3 everywhere

    Reference:
        - Peters et al. 2018, Deep contextualized word representations,
          equation 1.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, states_shape: Sequence[Shape]) -> None:
        """Creates one weight for each state and the factor gamma."""
        if not states_shape or not isinstance(states_shape[0], (list, tuple)):
            raise ValueError(
                "`states` must be a list of tensors. Received: shape(s) "
                f"{states_shape}. Accepted: one or more of shape "
                "(batch, time, dim)."
            )
        for shape in states_shape:
            checks.check_sequence_shape("states", shape)
        if len({shape[-1] for shape in states_shape}) > 1:
            raise ValueError(
                "`states` must have equal widths. Received: shapes "
                f"{[tuple(shape) for shape in states_shape]}."
            )
        self.state_weights = self.add_weight(
            shape=(len(states_shape),),
            initializer="zeros",
            name="state_weights",
        )
        self.gamma = self.add_weight(shape=(), initializer="ones", name="gamma")

    def call(self, states: Sequence[Tensor]) -> Tensor:
        """Computes the weighted mean, see the class."""
        weights = ops.softmax(ops.cast(self.state_weights, "float32"))
        weights = ops.cast(
            weights * ops.cast(self.gamma, "float32"), self.compute_dtype
        )
        # Not stacked: twelve states at once would double the memory.
        return sum(state * weights[index] for index, state in enumerate(states))

    def compute_output_shape(self, states_shape: Sequence[Shape]) -> Shape:
        """Returns the shape of one state."""
        return tuple(states_shape[0])
