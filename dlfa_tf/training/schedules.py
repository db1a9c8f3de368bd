"""The learning rate over the steps of a run."""

from typing import Any

import keras
from keras import ops


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
        from dlfa_tf.training.schedules import LinearWarmupDecay

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
