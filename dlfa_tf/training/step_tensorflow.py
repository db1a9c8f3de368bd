"""One step of training on TensorFlow, on any number of replicas."""

from typing import Any

import keras
import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL
from dlfa_tf.training.step import StepValues

# Added to a replica's dropout seed for each replica before it: an odd number,
# so that seeds differ for every number of replicas.
_SEED_STRIDE = 0x9E3779B1


class TensorFlowStep:
    """Computes gradients, sums them over replicas, clips, and updates.

    The loss is the sum over the labelled positions of all replicas, divided
    by their number in the GLOBAL batch, and the gradient is clipped by its
    global norm after the sum. Both are what one device computes on the whole
    batch. There is one traced function for every shape of batch.

    A model that has a shorter way to its losses has a method `label_losses`,
    from features and labels to float32 losses, 0 where there is no label; it is
    not asked in float16.

    In float16 the optimizer scales the loss, and leaves the weights alone when
    the gradient overflows.

    Model and optimizer are created in the strategy's scope; the optimizer is
    built here and does not sum gradients itself, such as `AdamWOnSums`. One in
    a `LossScaleOptimizer`, and `jit_compile` (XLA), need one replica.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        *,
        clip_norm: float,
        strategy: Any = None,
        jit_compile: bool = False,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.strategy = strategy or tf.distribute.get_strategy()
        self.replicas = self.strategy.num_replicas_in_sync
        extended = getattr(self.strategy, "extended", None)
        self.workers = getattr(extended, "_num_workers", 1)
        self.traces = 0
        self._scales = isinstance(
            optimizer, keras.optimizers.LossScaleOptimizer
        )
        for name, given in (
            ("jit_compile", jit_compile),
            ("mixed_float16", self._scales),
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
            input_signature=(features, labels, number),
            jit_compile=jit_compile,
        )
        self._forward = tf.function(
            lambda inputs: model(inputs, training=False),
            input_signature=(features,),
        )
        self._spread_seeds()

    def __call__(
        self, features: dict[str, Any], labels: Any, stop: bool = False
    ) -> StepValues:
        """Takes one step; see `Step`."""
        features, labels = fill_rows(features, labels, self.replicas)
        return StepValues(*self._step(features, labels, np.float32(stop)))

    def forward(self, features: dict[str, Any]) -> np.ndarray:
        """Logits of a batch, without dropout; computed on one replica."""
        return self._forward(features).numpy()

    def with_loss_scale(
        self, state: list[np.ndarray], value: float, good_steps: int
    ) -> list[np.ndarray]:
        """Makes a state of one that version 0.1.0 saved in float16.

        It kept the loss scale beside the state. The optimizer around the
        other one has four variables: steps and rate, which are not used, the
        count of good steps and the scale.
        """
        own = [np.array(v) for v in self.optimizer.variables[:4]]
        own[2:] = [np.array(good_steps, own[2].dtype), np.array(value)]
        models = len(self.model.variables)
        return [*state[:models], *own, *state[models:]]

    def sync(self) -> None:
        """Does nothing: the variables are the state."""

    def learning_rate(self) -> float:
        """Rate of the next step."""
        return float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))

    def loss_scale(self) -> float | None:
        """Factor of the loss now; None where the loss is not scaled."""
        if not self._scales:
            return None
        return float(keras.ops.convert_to_numpy(self.optimizer.dynamic_scale))

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

    def _global_step(self, features: Any, labels: Any, stop: Any) -> Any:
        self.traces += 1
        results = self.strategy.run(
            self._replica_step, args=(features, labels, stop)
        )
        return [self.strategy.experimental_local_results(x)[0] for x in results]

    def _replica_step(self, features: Any, labels: Any, stop: Any) -> Any:
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
        scale = self.optimizer.dynamic_scale.value if self._scales else 1.0
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self._losses(features, labels)) / count
            scaled = loss * scale
        gradients = tape.gradient(
            scaled,
            [v.value for v in variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        # Dense: the parts of a sparse gradient that fall on one row would
        # count one by one in the norm.
        gradients = [tf.convert_to_tensor(g) for g in gradients]
        loss, *gradients = context.all_reduce("SUM", [loss, *gradients])
        norm = tf.linalg.global_norm(gradients) / scale
        factor = tf.minimum(1.0, self.clip_norm / norm)
        if self._scales:
            # The optimizer takes the scale away, and looks for what is not
            # finite: also where only the norm is, which would clip to 0.
            factor = tf.where(tf.math.is_finite(norm), factor, np.nan)
        self.optimizer.apply([g * factor for g in gradients], variables)
        self._average_statistics(context)
        return loss, norm, stop

    def _losses(self, features: Any, labels: Any) -> Any:
        """Cross entropy of every label, 0 where there is none."""
        own = getattr(self.model, "label_losses", None)
        if own is not None and not self._scales:
            return own(features, labels)
        logits = self.model(features, training=True)
        return keras.losses.sparse_categorical_crossentropy(
            labels, logits, from_logits=True, ignore_class=IGNORED_LABEL
        )

    def _own_rows(self, context: Any, features: Any, labels: Any) -> Any:
        """The rows of the global batch that this replica works on."""
        if self.replicas == 1:
            return features, labels
        rows = tf.shape(labels)[0] // self.replicas
        start = context.replica_id_in_sync_group * rows
        return tf.nest.map_structure(
            lambda x: x[start : start + rows], (features, labels)
        )

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
