"""Bottleneck branch of AIF, for each position or for the whole sequence."""

import keras
from keras import ops

from dlfa_tf import checks
from dlfa_tf import options
from dlfa_tf.layers import argument_checks
from dlfa_tf.layers.masked_pooling import MaskedAveragePooling
from dlfa_tf.types import Activation
from dlfa_tf.types import Config
from dlfa_tf.types import Shape
from dlfa_tf.types import Tensor

SCOPES = ("local", "global")

# Keras' own default of 1e-3 is large beside the variance of a narrow
# bottleneck; 1e-5 is what the vision ancestor of AIF runs with.
NORM_EPSILON = 1e-5
# Share of the old value. Keras' default of 0.99 needs hundreds of steps to
# forget its start; fine-tuning can be shorter. 0.9 is the ancestor's.
BATCH_NORM_MOMENTUM = 0.9


@keras.saving.register_keras_serializable(package="dlfa_tf")
class AttentionBranch(keras.layers.Layer):
    """Squeezes the width by a ratio and expands it again.

    One of the two branches of AIF:
    `norm(dense(activation(norm(dense(x)))))`, where the first dense layer
    maps the width `dim` to `dim // reduction_ratio` and the second maps it
    back. The `local` branch does so at each position. The `global` branch
    first sums the sequence up in one vector and keeps a time axis of size 1,
    so that its output broadcasts over time.

    Padded positions: the local branch computes them like the others, and no
    real position ever depends on them; the global branch leaves them out of
    the mean. With `norm="batch"` the training statistics of the local branch
    are taken over the real positions of the batch, those of the global
    branch over the rows that hold at least one real token; padded positions
    and empty rows are normalised with these statistics but do not enter
    them. Statistics are per replica. As batch norm removes any constant, the
    dense layers have no bias then: it would never receive a gradient.

    Keep the inner width well above 2 under `norm="layer"`: layer norm maps
    every single number to 0 and every pair of numbers to one of two signs,
    so that the branch ignores its input, or nearly so. `norm="batch"`
    refuses an inner width of 1.

    Args:
        reduction_ratio: int, divisor of the width in the bottleneck, from 1
            to the width of the input. Defaults to `4` (our reading; the
            vision ancestor's value, the paper names none).
        norm: str, `"layer"`, `"batch"` or `"none"`, the normalisation after
            each dense layer. Defaults to `"layer"` (our reading: statistics
            of small ragged text batches are unreliable).
        activation: str, function or None, applied in the bottleneck.
            Defaults to `"relu"` (our reading; the ancestor's).
        scope: str, `"local"` or `"global"`. Defaults to `"local"`.
        pooling: str, `"mean"` (over real tokens) or `"first"` (position 0,
            which must be a real token), how the global branch sums a
            sequence up; the local branch has no use for it.
            Defaults to `"mean"` (our reading).
        initial_output: float or None. A number is what the untrained branch
            returns everywhere: its last step starts with scale 0 and this
            offset. Defaults to `None`: the usual random start (our reading).
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        x: Tensor `(batch, time, dim)`.
        mask: Optional bool tensor `(batch, time)`, True for real tokens.
            Without one, every position is a real token.
        training: Optional bool. Matters to `norm="batch"` only.

    Returns:
        Tensor `(batch, time, dim)` for `scope="local"`, `(batch, 1, dim)` for
        `scope="global"`, dtype of the compute policy.

    Raises:
        TypeError: when `reduction_ratio` is not an integer or
            `initial_output` not a number.
        ValueError: when `reduction_ratio` is below 1, above `dim`, or above
            `dim / 2` with batch norm, another argument is outside its set,
            `x` is not of rank 3 with a known width, or `mask` does not fit.

    Example:
        import numpy as np
        from dlfa_tf.layers import AttentionBranch

        x = np.ones((2, 5, 8), "float32")
        branch = AttentionBranch(reduction_ratio=2, scope="global")
        shape = branch(x).shape  # (2, 1, 8)

    Reference:
        - Chen et al., 2022, equation 1: W_local and W_global.
        - Dai et al., 2021, Attentional Feature Fusion, section 3: MS-CAM,
          the ancestor, with 1x1 convolutions as the dense layers.
    """

    def __init__(
        self,
        reduction_ratio: int = options.REDUCTION_RATIO,
        norm: str = options.NORMS[0],
        activation: Activation = options.ACTIVATION,
        scope: str = "local",
        pooling: str = options.POOLINGS[0],
        initial_output: float | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.reduction_ratio = checks.check_reduction_ratio(reduction_ratio)
        self.norm = checks.check_choice("norm", norm, options.NORMS)
        self.activation = argument_checks.check_activation(activation)
        self.scope = checks.check_choice("scope", scope, SCOPES)
        self.pooling = checks.check_choice("pooling", pooling, options.POOLINGS)
        self.initial_output = (
            None
            if initial_output is None
            else checks.check_finite_number("initial_output", initial_output)
        )
        self.supports_masking = True
        self.pool = None
        if self.scope == "global" and self.pooling == "mean":
            self.pool = MaskedAveragePooling(
                name="pool", dtype=self.dtype_policy
            )

    def build(self, x_shape: Shape) -> None:
        """Creates the sublayers, now that the width is known."""
        dim = checks.check_sequence_shape("x", x_shape)
        if self.reduction_ratio > dim:
            raise ValueError(
                "`reduction_ratio` exceeds the width of the input. Received: "
                f"{self.reduction_ratio} for width {dim}. Accepted: integers "
                f"from 1 to {dim}."
            )
        if self.pool is not None:
            self.pool.build(x_shape)
        # The inner width is at least 1, because the ratio is at most dim.
        reduced_dim = dim // self.reduction_ratio
        # Keras 3.15.1 squeezes masked statistics of one channel to a scalar,
        # which fails to be assigned on JAX.
        if self.norm == "batch" and reduced_dim == 1:
            raise ValueError(
                "`reduction_ratio` leaves batch norm a single channel. "
                f"Received: {self.reduction_ratio} for width {dim}. Accepted "
                f'with `norm="batch"`: integers from 1 to {dim // 2}.'
            )
        # Only here is the width known that the dense layers need.
        start = self._initializers()
        self.reduce = self._make_dense(reduced_dim, "reduce")
        self.reduce_norm = self._make_norm("reduce_norm")
        self.expand = self._make_dense(dim, "expand", **start["dense"])
        self.expand_norm = self._make_norm("expand_norm", **start["norm"])
        shape = self.compute_output_shape(x_shape)
        reduced_shape = (*shape[:-1], reduced_dim)
        self.reduce.build(shape)
        self.expand.build(reduced_shape)
        if self.reduce_norm is not None and self.expand_norm is not None:
            self.reduce_norm.build(reduced_shape)
            self.expand_norm.build(shape)

    def call(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Tensor:
        """Computes the branch, see the class."""
        if mask is not None:
            checks.check_mask_shape("x", x.shape, mask.shape)
        if self.scope == "global":
            x, mask = self._pool_over_time(x, mask)
        x = self._normalize(self.reduce_norm, self.reduce(x), mask, training)
        x = self.expand(self.activation(x))
        return self._normalize(self.expand_norm, x, mask, training)

    def compute_mask(
        self, x: Tensor, mask: Tensor | None = None
    ) -> Tensor | None:
        """Passes the mask on unless the time axis is pooled."""
        return None if self.scope == "global" else mask

    def compute_output_shape(self, x_shape: Shape) -> Shape:
        """Returns `(batch, time, dim)`, with time 1 if pooled."""
        batch, time, dim = x_shape
        return (batch, 1 if self.scope == "global" else time, dim)

    def get_config(self) -> Config:
        """Returns every constructor argument."""
        config = super().get_config()
        config.update(
            reduction_ratio=self.reduction_ratio,
            norm=self.norm,
            activation=keras.activations.serialize(self.activation),
            scope=self.scope,
            pooling=self.pooling,
            initial_output=self.initial_output,
        )
        return config

    def _initializers(self) -> dict[str, dict[str, object]]:
        """Arguments of the last dense layer and norm that set the start."""
        if self.initial_output is None:
            return {"dense": {}, "norm": {}}
        constant = keras.initializers.Constant(self.initial_output)
        if self.norm == "none":
            dense = {"kernel_initializer": "zeros"}
            return {
                "dense": {**dense, "bias_initializer": constant},
                "norm": {},
            }
        norm = {"gamma_initializer": "zeros", "beta_initializer": constant}
        return {"dense": {}, "norm": norm}

    def _make_dense(
        self, units: int, name: str, **kwargs: object
    ) -> keras.layers.Layer:
        return keras.layers.Dense(
            units,
            use_bias=self.norm != "batch",
            name=name,
            dtype=self.dtype_policy,
            **kwargs,
        )

    def _make_norm(
        self, name: str, **kwargs: object
    ) -> keras.layers.Layer | None:
        if self.norm == "layer":
            return keras.layers.LayerNormalization(
                epsilon=NORM_EPSILON,
                name=name,
                dtype=self.dtype_policy,
                **kwargs,
            )
        if self.norm == "batch":
            return keras.layers.BatchNormalization(
                epsilon=NORM_EPSILON,
                momentum=BATCH_NORM_MOMENTUM,
                name=name,
                dtype=self.dtype_policy,
                **kwargs,
            )
        return None

    def _pool_over_time(
        self, x: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Returns the pooled `(B, 1, D)` and which rows have real tokens."""
        if self.pool is None:
            pooled = x[:, :1]
        else:
            pooled = ops.expand_dims(self.pool(x, mask=mask), axis=1)
        if mask is None:
            return pooled, None
        return pooled, ops.any(ops.cast(mask, "bool"), axis=1, keepdims=True)

    def _normalize(
        self,
        norm: keras.layers.Layer | None,
        x: Tensor,
        mask: Tensor | None,
        training: bool | None,
    ) -> Tensor:
        if norm is None:
            return x
        if self.norm == "batch":
            return norm(x, mask=mask, training=training)
        return norm(x)
