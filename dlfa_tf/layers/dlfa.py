"""Double layers feature aggregation, equation 2."""

import keras
from keras import ops
from keras.src.backend import get_keras_mask

from dlfa_tf import checks
from dlfa_tf import options
from dlfa_tf.layers.aif import AIF
from dlfa_tf.layers.attention_branch import NORM_EPSILON
from dlfa_tf.types import Activation
from dlfa_tf.types import Config
from dlfa_tf.types import Shape
from dlfa_tf.types import Tensor


@keras.saving.register_keras_serializable(package="dlfa_tf")
class DLFA(keras.layers.Layer):
    """Fuses the outputs of two encoder blocks through a learned gate.

    Equation 2 of the paper, all products element-wise:
    `g = AIF((low + high) / 2)`, then
    `L = mix_factor * (L1 * g + L2 * (1 - g))`, where L1 is `low` and L2 is
    `high`, or the other way round with `first="high"`. The result goes to
    the task head in place of the last block's output. `compute_gate` returns
    `g` alone, for analysis; it is the function that `call` uses.

    Padded positions are computed like the others, and no real position ever
    depends on them. The layer reads the mask, explicit or attached to `low`.
    An attached one is passed on, an explicit one ends here: Keras would carry
    it through the task head into loss and metrics, and a fused model would
    be counted otherwise than its baseline.

    Args:
        reduction_ratio: int, divisor of the width in the bottlenecks, from 1
            to the width of the input. Defaults to `4` (our reading; the
            vision ancestor's value, the paper names none).
        norm: str, `"layer"`, `"batch"` or `"none"`, the normalisation inside
            the branches. Defaults to `"layer"` (our reading).
        gate: str, `"feature"` takes AIF(.) as `g`, unbounded; `"attention"`
            takes its sigmoid alone, between 0 and 1. Defaults to `"feature"`
            (equation 2 as it is written; `"attention"` is what the vision
            ancestor does).
        activation: str, function or None, applied in the bottlenecks.
            Defaults to `"relu"` (our reading; the ancestor's).
        pooling: str, `"mean"` (over real tokens) or `"first"` (position 0,
            which must be a real token), how the global branch sums a
            sequence up. Defaults to `"mean"` (our reading).
        mix_factor: float, finite and above 0, multiplies the mix. Defaults to
            `1.0` (equation 2; the ancestor's code has 2).
        first: str, `"low"` or `"high"`, which input is L1. Defaults to
            `"low"` (our reading: "one selected lower layer and the last
            layer").
        branches: str, `"both"`, `"local"` or `"global"`, the branches of
            AIF. Defaults to `"both"` (equation 1); one alone is for
            ablations.
        initial_gate: float between 0 and 1, or None. A number is what AIF's
            sigmoid gives everywhere before training; a small one starts near
            L2, with `gate="attention"` exactly there as it tends to 0.
            Defaults to `None`: the usual random start (our reading).
        output_norm: str, `"none"` or `"layer"`, layer norm of the mix, which
            brings an unbounded L to the scale of a block's output. Defaults
            to `"none"` (equation 2).
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        low: Tensor `(batch, time, dim)`. Output of the chosen block.
        high: Tensor `(batch, time, dim)`. Output of the last block.
        mask: Optional bool or int tensor `(batch, time)`, True or not 0 for
            real tokens. Without one, and without one attached to `low`, every
            position is a real token.
        training: Optional bool. Matters to `norm="batch"` only.
        low_mask: Optional bool tensor `(batch, time)`. Keras fills it in from
            the mask attached to `low`; used when `mask` is None.

    Returns:
        Tensor `(batch, time, dim)`, dtype of the compute policy.

    Raises:
        TypeError: when `reduction_ratio` is not an integer or `mix_factor` or
            `initial_gate` not a number.
        ValueError: when `reduction_ratio` is below 1, above `dim`, or above
            `dim / 2` with batch norm, `mix_factor` is not finite and above
            0, another argument is outside its set, the inputs have unequal
            shapes or are not of rank 3 with a known width, or `mask` does
            not fit them.

    Example:
        import numpy as np
        from dlfa_tf.layers import DLFA

        low, high = np.zeros((2, 2, 5, 8), "float32")
        dlfa = DLFA(gate="attention")
        fused = dlfa(low, high, mask=np.ones((2, 5), bool))  # (2, 5, 8)
        gate = dlfa.compute_gate(low, high)  # (2, 5, 8), between 0 and 1

    Reference:
        - Chen et al., 2022, equation 2.
        - Dai et al., 2021, Attentional Feature Fusion, section 3.
    """

    def __init__(
        self,
        reduction_ratio: int = options.REDUCTION_RATIO,
        norm: str = options.NORMS[0],
        gate: str = options.GATES[0],
        activation: Activation = options.ACTIVATION,
        pooling: str = options.POOLINGS[0],
        mix_factor: float = options.MIX_FACTOR,
        first: str = options.ORDERS[0],
        branches: str = options.BRANCHES[0],
        initial_gate: float | None = None,
        output_norm: str = options.OUTPUT_NORMS[0],
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.mix_factor = checks.check_positive_number("mix_factor", mix_factor)
        self.first = checks.check_choice("first", first, options.ORDERS)
        self.aif = AIF(
            reduction_ratio=reduction_ratio,
            norm=norm,
            gate=gate,
            activation=activation,
            pooling=pooling,
            branches=branches,
            initial_gate=initial_gate,
            name="aif",
            dtype=self.dtype_policy,
        )
        # AIF has checked these and brought them to one form.
        self.reduction_ratio = self.aif.reduction_ratio
        self.norm = self.aif.norm
        self.gate = self.aif.gate
        self.activation = self.aif.activation
        self.pooling = self.aif.pooling
        self.branches = self.aif.branches
        self.initial_gate = self.aif.initial_gate
        self.output_norm = checks.check_choice(
            "output_norm", output_norm, options.OUTPUT_NORMS
        )
        self.norm_of_output = None
        if self.output_norm == "layer":
            self.norm_of_output = keras.layers.LayerNormalization(
                epsilon=NORM_EPSILON,
                name="norm_of_output",
                dtype=self.dtype_policy,
            )
        self.supports_masking = True

    def build(self, low_shape: Shape, high_shape: Shape) -> None:
        """Checks that the shapes are equal and builds AIF."""
        checks.check_equal_shapes(low_shape, high_shape)
        self.aif.build(high_shape)
        if self.norm_of_output is not None:
            self.norm_of_output.build(high_shape)

    def call(
        self,
        low: Tensor,
        high: Tensor,
        mask: Tensor | None = None,
        training: bool | None = None,
        low_mask: Tensor | None = None,
    ) -> Tensor:
        """Computes equation 2, see the class."""
        if mask is None:
            mask = low_mask
        gate = self.compute_gate(low, high, mask=mask, training=training)
        l1, l2 = (low, high) if self.first == "low" else (high, low)
        # Equation 2.
        mix = self.mix_factor * (l1 * gate + l2 * (1.0 - gate))
        return mix if self.norm_of_output is None else self.norm_of_output(mix)

    def compute_gate(
        self,
        low: Tensor,
        high: Tensor,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Tensor:
        """Returns the gate `AIF((low + high) / 2)` of equation 2.

        Works on arrays, on tensors and on the symbolic outputs of an
        encoder; with these, `keras.Model(inputs, gate)` is a model that
        reads the gate of a trained system.

        Args:
            low: Tensor `(batch, time, dim)`. Output of the chosen block.
            high: Tensor `(batch, time, dim)`. Output of the last block.
            mask: Optional bool tensor `(batch, time)`, True for real tokens.
            training: Optional bool. Matters to `norm="batch"` only.

        Returns:
            Tensor `(batch, time, dim)`, dtype of the compute policy. It
            weighs L1; `1 - gate` weighs L2.

        Raises:
            ValueError: when `low` and `high` have unequal shapes.
        """
        checks.check_equal_shapes(low.shape, high.shape)
        if not self.built:
            self.build(tuple(low.shape), tuple(high.shape))
        # No change inside `call`, where Keras has cast the inputs already.
        low = ops.cast(low, self.compute_dtype)
        high = ops.cast(high, self.compute_dtype)
        return self.aif((low + high) / 2.0, mask=mask, training=training)

    def compute_mask(
        self, low: Tensor, mask: Tensor | None = None
    ) -> Tensor | None:
        """Passes on the mask attached to `low`, not the explicit one."""
        return get_keras_mask(low)

    def compute_output_shape(
        self, low_shape: Shape, high_shape: Shape
    ) -> Shape:
        """Returns the shape of the inputs."""
        checks.check_equal_shapes(low_shape, high_shape)
        return high_shape

    def get_config(self) -> Config:
        """Returns every constructor argument."""
        config = super().get_config()
        config.update(
            reduction_ratio=self.reduction_ratio,
            norm=self.norm,
            gate=self.gate,
            activation=keras.activations.serialize(self.activation),
            pooling=self.pooling,
            mix_factor=self.mix_factor,
            first=self.first,
            branches=self.branches,
            initial_gate=self.initial_gate,
            output_norm=self.output_norm,
        )
        return config
