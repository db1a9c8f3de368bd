"""The optimizer of a run, and its learning rate over the steps."""

from typing import Any

import keras
from keras import ops

from dlfa_tf.training.objective import EngineSettings


@keras.saving.register_keras_serializable(package="dlfa_tf")
class LinearWarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to a peak, then falls linearly to 0 at the last step.

    Step s (from 0) has the rate `peak_rate * s / warmup_steps` during warm-up,
    then `peak_rate * (total_steps - s) / (total_steps - warmup_steps)`. Without
    warm-up the first step has the peak rate.

    Args:
        peak_rate: float, highest learning rate.
        total_steps: int, steps of the run; the rate would be 0 after them.
        warmup_steps: int, steps of the rise. Defaults to `0` (XTREME).

    Raises:
        ValueError: when the warm-up does not end before the last step.

    Example:
        from dlfa_tf.training.optimizers import LinearWarmupDecay

        schedule = LinearWarmupDecay(1.0, total_steps=4, warmup_steps=2)
        [float(schedule(s)) for s in range(4)]  # [0.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self, peak_rate: float, total_steps: int, warmup_steps: int = 0
    ) -> None:
        super().__init__()
        if not 0 <= warmup_steps < total_steps:
            raise ValueError(
                "`warmup_steps` must end before the last step. Received: "
                f"{warmup_steps} for a run of {total_steps} steps. Accepted: "
                f"0 to {total_steps - 1}."
            )
        self.peak_rate = peak_rate
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        """Learning rate of a step, counted from 0; float32 scalar."""
        step = ops.cast(step, "float32")
        left = (self.total_steps - step) / (
            self.total_steps - self.warmup_steps
        )
        risen = step / max(self.warmup_steps, 1)
        share = ops.where(step < self.warmup_steps, risen, left)
        return self.peak_rate * ops.clip(share, 0.0, 1.0)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            "peak_rate": self.peak_rate,
            "total_steps": self.total_steps,
            "warmup_steps": self.warmup_steps,
        }


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
    config: EngineSettings, total_steps: int, model: Any
) -> keras.optimizers.Optimizer:
    """Builds the optimizer of a config; the train step does the clipping.

    It is AdamW with linear decay to 0, after a warm-up when one is asked for;
    in float16 within Keras' `LossScaleOptimizer`.
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
    if config.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
