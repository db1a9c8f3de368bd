"""One step of training on TensorFlow, on any number of replicas."""

import dataclasses
from typing import Any

import keras
import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL

# Added to a replica's dropout seed for each replica before it: an odd number,
# so that seeds differ for every number of replicas.
_SEED_STRIDE = 0x9E3779B1


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepValues:
    """What a step reports.

    Attributes:
        loss: float, mean cross entropy over the labelled positions of the
            global batch.
        gradient_norm: float, global norm of the summed gradient, unclipped.
        stop: bool, whether any worker asked to stop.
    """

    loss: float
    gradient_norm: float
    stop: bool


class TrainStep:
    """Computes gradients, sums them over replicas, clips, and updates.

    The loss is the sum over the labelled positions of all replicas, divided
    by their number in the GLOBAL batch, and the gradient is clipped by its
    global norm after the sum. Both are what one device computes on the whole
    batch. There is one traced function for every shape of batch.

    Args:
        model: task model without a preprocessor, created in the strategy's
            scope.
        optimizer: optimizer that does not sum gradients itself, such as
            `AdamWOnSums`, created in the strategy's scope; built here.
        clip_norm: float, limit of the global norm.
        strategy: `tf.distribute` strategy. Defaults to one device.
        jit_compile: bool, whether to compile with XLA (one replica only).
        skip_non_finite: bool, whether to leave weights alone when the
            gradient is not finite, as loss scaling needs (one replica only).

    Raises:
        ValueError: for an option that needs one replica, given more.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        *,
        clip_norm: float,
        strategy: Any = None,
        jit_compile: bool = False,
        skip_non_finite: bool = False,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.strategy = strategy or tf.distribute.get_strategy()
        self.replicas = self.strategy.num_replicas_in_sync
        self.skip_non_finite = skip_non_finite
        self.traces = 0
        for name, given in (
            ("jit_compile", jit_compile),
            ("mixed_float16", skip_non_finite),
        ):
            if given and self.replicas > 1:
                raise ValueError(
                    f"`{name}` works on one replica only. Received: "
                    f"{self.replicas} replicas. Accepted: "
                    "strategy=one_device, or mixed_bfloat16 without XLA."
                )
        with self.strategy.scope():
            optimizer.build(model.trainable_variables)
        self._averaged = [
            variable
            for layer in model._flatten_layers()
            if isinstance(layer, keras.layers.BatchNormalization)
            for variable in (layer.moving_mean, layer.moving_variance)
        ]
        features = {
            name: tf.TensorSpec(
                [None, None], tf.bool if name == "padding_mask" else tf.int32
            )
            for name in model.input
        }
        rank = len(model.output_shape) - 1
        labels = tf.TensorSpec([None] * rank, tf.int32)
        number = tf.TensorSpec([], tf.float32)
        self._step = tf.function(
            self._global_step,
            input_signature=(features, labels, number, number),
            jit_compile=jit_compile,
        )
        self._forward = tf.function(
            lambda inputs: model(inputs, training=False),
            input_signature=(features,),
        )
        self._spread_seeds()

    def __call__(
        self,
        features: dict[str, Any],
        labels: Any,
        *,
        loss_scale: float = 1.0,
        stop: bool = False,
    ) -> StepValues:
        """Takes one step.

        Args:
            features: dict of arrays `(rows, time)`, the global batch.
            labels: int32 `(rows,)` or `(rows, time)`, -1 for no label.
            loss_scale: float, factor of the loss that keeps small gradients
                representable in float16.
            stop: bool, whether this worker wants all workers to stop.

        Returns:
            `StepValues` of the step.
        """
        features, labels = fill_rows(features, labels, self.replicas)
        values = self._step(
            features, labels, np.float32(loss_scale), np.float32(stop)
        )
        loss, norm, stops = (float(x) for x in values)
        return StepValues(loss=loss, gradient_norm=norm, stop=stops > 0)

    def forward(self, features: dict[str, Any]) -> np.ndarray:
        """Logits of a batch, without dropout; computed on one replica."""
        return self._forward(features).numpy()

    def state(self) -> list[np.ndarray]:
        """Every number that the next step depends on, besides the batch."""
        return [
            np.array(self._first_copy(variable))
            for variable in self._variables()
        ]

    def set_state(self, state: list[np.ndarray]) -> None:
        """Puts back what `state` returned, on every replica."""
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)
        self._spread_seeds()

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    def _first_copy(self, variable: Any) -> Any:
        return self.strategy.experimental_local_results(variable.value)[0]

    def _global_step(
        self, features: Any, labels: Any, loss_scale: Any, stop: Any
    ) -> Any:
        self.traces += 1
        results = self.strategy.run(
            self._replica_step, args=(features, labels, loss_scale, stop)
        )
        return [self.strategy.experimental_local_results(x)[0] for x in results]

    def _replica_step(
        self, features: Any, labels: Any, loss_scale: Any, stop: Any
    ) -> Any:
        context = tf.distribute.get_replica_context()
        features, labels = self._own_rows(context, features, labels)
        labelled = tf.cast(labels != IGNORED_LABEL, tf.float32)
        # A reduction needs values that lie on the replica's device.
        count, stop = context.all_reduce(
            "SUM", [tf.reduce_sum(labelled), tf.identity(stop)]
        )
        # A batch without a single label has loss 0, not NaN.
        count = tf.maximum(count, 1.0)
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(features, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(
                labels, logits, from_logits=True, ignore_class=IGNORED_LABEL
            )
            loss = tf.reduce_sum(losses) / count
            scaled = loss * loss_scale
        gradients = tape.gradient(
            scaled,
            [v.value for v in variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        # Dense: the parts of a sparse gradient that fall on one row would
        # count one by one in the norm.
        gradients = [tf.convert_to_tensor(g) for g in gradients]
        loss, *gradients = context.all_reduce("SUM", [loss, *gradients])
        norm = tf.linalg.global_norm(gradients) / loss_scale
        factor = tf.minimum(1.0, self.clip_norm / norm) / loss_scale
        gradients = [g * factor for g in gradients]
        self._update(gradients, variables, tf.math.is_finite(norm))
        self._average_statistics(context)
        return loss, norm, stop

    def _own_rows(self, context: Any, features: Any, labels: Any) -> Any:
        """The rows of the global batch that this replica works on."""
        if self.replicas == 1:
            return features, labels
        rows = tf.shape(labels)[0] // self.replicas
        start = context.replica_id_in_sync_group * rows
        return tf.nest.map_structure(
            lambda x: x[start : start + rows], (features, labels)
        )

    def _update(self, gradients: Any, variables: Any, finite: Any) -> None:
        if not self.skip_non_finite:
            self.optimizer.apply(gradients, variables)
            return

        def apply() -> Any:
            self.optimizer.apply(gradients, variables)
            return tf.constant(True)

        tf.cond(finite, apply, lambda: tf.constant(False))

    def _average_statistics(self, context: Any) -> None:
        """Batch norm's running statistics, the same on all replicas."""
        if self.replicas == 1 or not self._averaged:
            return
        values = context.all_reduce(
            "MEAN", [v.value.read_value() for v in self._averaged]
        )
        for variable, value in zip(self._averaged, values, strict=True):
            variable.value.assign(value)

    def _spread_seeds(self) -> None:
        """Gives every replica a dropout of its own."""
        if self.replicas == 1:
            return
        seeds = [
            variable.value
            for variable in self.model.variables
            if variable.path.endswith("seed_generator_state")
        ]

        def spread() -> None:
            context = tf.distribute.get_replica_context()
            replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
            # A state is a seed and a count of draws.
            offset = tf.stack([replica * _SEED_STRIDE, 0])
            for seed in seeds:
                seed.assign(seed.read_value() + tf.cast(offset, seed.dtype))

        self.strategy.run(tf.function(spread))


def fill_rows(
    features: dict[str, Any], labels: Any, multiple: int
) -> tuple[dict[str, Any], Any]:
    """Adds empty rows without a label up to a multiple of the replicas.

    The last batch of an epoch may be smaller than the others. Rows of nothing
    but padding have a share in neither loss nor gradient.

    Args:
        features: dict of arrays `(rows, time)`.
        labels: array `(rows,)` or `(rows, time)`.
        multiple: int, what the number of rows has to be a multiple of.

    Returns:
        The pair with as many rows as needed.
    """
    missing = -len(labels) % multiple
    if not missing:
        return features, labels

    def fill(values: Any, blank: int) -> np.ndarray:
        values = np.asarray(values)
        rows = np.full((missing, *values.shape[1:]), blank, values.dtype)
        return np.concatenate([values, rows])

    return (
        {name: fill(values, 0) for name, values in features.items()},
        fill(labels, IGNORED_LABEL),
    )
