"""Attentional information fusion, equation 1."""

import math

import keras
from keras import ops
from keras.src.backend import get_keras_mask

from dlfa_tf import checks
from dlfa_tf import options
from dlfa_tf.layers.attention_branch import AttentionBranch
from dlfa_tf.types import Activation
from dlfa_tf.types import Config
from dlfa_tf.types import Shape
from dlfa_tf.types import Tensor


@keras.saving.register_keras_serializable(package="dlfa_tf")
class AIF(keras.layers.Layer):
    """Weighs a sequence by attention to each position and to the whole.

    Equation 1 of the paper, with `*` element-wise and `+` broadcast over
    time: `AIF(x) = x * sigmoid(global_branch(x) + local_branch(x))`. The two
    branches have the same structure and separate weights, see
    `AttentionBranch`. The sigmoid runs in float32 under mixed policies and
    is cast back.

    Padded positions are computed like the others, and no real position ever
    depends on them. The layer reads the mask, explicit or attached to `x`.
    An attached one is passed on, an explicit one ends here: Keras would carry
    it through the task head into loss and metrics, and a fused model would
    be counted otherwise than its baseline.

    Args:
        reduction_ratio: int, divisor of the width in the bottlenecks, from 1
            to the width of the input. Defaults to `4` (our reading; the
            vision ancestor's value, the paper names none).
        norm: str, `"layer"`, `"batch"` or `"none"`, the normalisation inside
            the branches. Defaults to `"layer"` (our reading).
        gate: str, `"feature"` returns `x * sigmoid(.)`, unbounded;
            `"attention"` returns the sigmoid alone, between 0 and 1.
            Defaults to `"feature"` (equation 1 as it is written;
            `"attention"` is what the vision ancestor does).
        activation: str, function or None, applied in the bottlenecks.
            Defaults to `"relu"` (our reading; the ancestor's).
        pooling: str, `"mean"` (over real tokens) or `"first"` (position 0,
            which must be a real token), how the global branch sums a
            sequence up. Defaults to `"mean"` (our reading).
        branches: str, `"both"`, `"local"` or `"global"`, the branches there
            are. Defaults to `"both"` (equation 1); one alone is for
            ablations.
        initial_gate: float between 0 and 1, or None. A number is what the
            sigmoid gives everywhere before training. Defaults to `None`: the
            usual random start (our reading).
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        x: Tensor `(batch, time, dim)`.
        mask: Optional bool or int tensor `(batch, time)`, True or not 0 for
            real tokens. Without one, every position is a real token.
        training: Optional bool. Matters to `norm="batch"` only.

    Returns:
        Tensor `(batch, time, dim)`, dtype of the compute policy.

    Raises:
        TypeError: when `reduction_ratio` is not an integer or `initial_gate`
            not a number.
        ValueError: when `reduction_ratio` is below 1, above `dim`, or above
            `dim / 2` with batch norm, another argument is outside its set,
            `x` is not of rank 3 with a known width, or `mask` does not fit.

    Example:
        import numpy as np
        from dlfa_tf.layers import AIF

        x = np.ones((2, 5, 8), "float32")
        mask = np.array([[True] * 5, [True] * 3 + [False] * 2])
        attention = AIF(gate="attention")(x, mask=mask)  # (2, 5, 8)

    Reference:
        - Chen et al., 2022, equation 1.
        - Dai et al., 2021, Attentional Feature Fusion, section 3.
    """

    def __init__(
        self,
        reduction_ratio: int = options.REDUCTION_RATIO,
        norm: str = options.NORMS[0],
        gate: str = options.GATES[0],
        activation: Activation = options.ACTIVATION,
        pooling: str = options.POOLINGS[0],
        branches: str = options.BRANCHES[0],
        initial_gate: float | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.gate = checks.check_choice("gate", gate, options.GATES)
        self.branches = checks.check_choice(
            "branches", branches, options.BRANCHES
        )
        self.initial_gate = (
            None
            if initial_gate is None
            else checks.check_share("initial_gate", initial_gate)
        )
        scopes = ("local", "global") if branches == "both" else (branches,)
        made = {
            scope: AttentionBranch(
                reduction_ratio=reduction_ratio,
                norm=norm,
                activation=activation,
                scope=scope,
                pooling=pooling,
                initial_output=self._initial_output(len(scopes)),
                name=f"{scope}_branch",
                dtype=self.dtype_policy,
            )
            for scope in scopes
        }
        self.local_branch = made.get("local")
        self.global_branch = made.get("global")
        # A branch has checked these and brought them to one form.
        branch = made[scopes[0]]
        self.reduction_ratio = branch.reduction_ratio
        self.norm = branch.norm
        self.activation = branch.activation
        self.pooling = branch.pooling
        self.supports_masking = True

    def _branches(self) -> list[AttentionBranch]:
        both = (self.local_branch, self.global_branch)
        return [branch for branch in both if branch is not None]

    def _initial_output(self, num_branches: int) -> float | None:
        """Share of one branch in the inverse sigmoid of `initial_gate`."""
        if self.initial_gate is None:
            return None
        logit = math.log(self.initial_gate / (1.0 - self.initial_gate))
        return logit / num_branches

    def build(self, x_shape: Shape) -> None:
        """Builds the branches."""
        for branch in self._branches():
            branch.build(x_shape)

    def call(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Tensor:
        """Computes equation 1, see the class."""
        if mask is not None:
            # keras-hub's padding masks are int32.
            mask = ops.cast(mask, "bool")
        dtype = keras.backend.result_type(x.dtype, "float32")
        # Equation 1; the global branch has a time axis of size 1.
        total = sum(
            ops.cast(branch(x, mask=mask, training=training), dtype)
            for branch in self._branches()
        )
        attention = ops.cast(ops.sigmoid(total), self.compute_dtype)
        if self.branches == "global":
            attention = ops.broadcast_to(attention, ops.shape(x))
        return attention if self.gate == "attention" else x * attention

    def compute_mask(
        self, x: Tensor, mask: Tensor | None = None
    ) -> Tensor | None:
        """Passes on the mask attached to `x`, not the explicit one."""
        return get_keras_mask(x)

    def compute_output_shape(self, x_shape: Shape) -> Shape:
        """Returns the shape of `x`."""
        return x_shape

    def get_config(self) -> Config:
        """Returns every constructor argument."""
        config = super().get_config()
        config.update(
            reduction_ratio=self.reduction_ratio,
            norm=self.norm,
            gate=self.gate,
            activation=keras.activations.serialize(self.activation),
            pooling=self.pooling,
            branches=self.branches,
            initial_gate=self.initial_gate,
        )
        return config
