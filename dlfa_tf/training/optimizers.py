"""The optimizer of a run."""

from typing import Any

import keras

from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.training.schedules import LinearWarmupDecay


class AdamWOnSums(keras.optimizers.AdamW):
    """AdamW for gradients that are summed over the replicas already.

    Keras' optimizers clip the gradient of each replica first and sum over the
    replicas then, so that "global norm" is another one with every number of
    replicas. The train step sums, clips, and hands the result to this class,
    which must not sum again. On one device the two are the same.

    Attributes:
        rate_factors: list of floats, one for each variable that the optimizer
            was built with, by which its learning rate is multiplied; None for
            1 throughout. (Keras' optimizers have one rate for all.)
    """

    rate_factors: list[float] | None = None

    def update_step(
        self, gradient: Any, variable: Any, learning_rate: Any
    ) -> None:
        """Updates one variable at its own rate."""
        if self.rate_factors is not None:
            factor = self.rate_factors[self._get_variable_index(variable)]
            learning_rate = learning_rate * factor
        super().update_step(gradient, variable, learning_rate)

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        # A hook of Keras' TensorFlow optimizer; no other backend calls it.
        return list(grads_and_vars)


def make_optimizer(
    config: TrainConfig, total_steps: int, model: Any
) -> AdamWOnSums:
    """Builds the optimizer of a config; the train step does the clipping.

    Args:
        config: `TrainConfig`.
        model: task model whose trainable variables it is for.
        total_steps: int, steps of the whole run.

    Returns:
        AdamW with linear decay to 0, after a warm-up when one is asked for.

    Raises:
        ValueError: when the warm-up is as long as the run.
    """
    optimizer = AdamWOnSums(
        learning_rate=LinearWarmupDecay(
            config.learning_rate, total_steps, config.warmup_steps
        ),
        weight_decay=config.weight_decay,
        epsilon=config.adam_epsilon,
    )
    if config.new_layer_rate != 1.0:
        pretrained = {id(v) for v in model.backbone.encoder.variables}
        optimizer.rate_factors = [
            1.0 if id(v) in pretrained else config.new_layer_rate
            for v in model.trainable_variables
        ]
    return optimizer
