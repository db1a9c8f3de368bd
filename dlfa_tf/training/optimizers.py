"""The optimizer of a run."""

from typing import Any

import keras

from dlfa_tf.training.config import TrainConfig
from dlfa_tf.training.schedules import LinearWarmupDecay


class AdamWOnSums(keras.optimizers.AdamW):
    """AdamW for gradients that are summed over the replicas already.

    Keras' optimizers clip the gradient of each replica first and sum over the
    replicas then, so that "global norm" is another one with every number of
    replicas. The train step sums, clips, and hands the result to this class,
    which must not sum again. On one device the two are the same.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        # A hook of Keras' TensorFlow optimizer; no other backend calls it.
        return list(grads_and_vars)


def make_optimizer(config: TrainConfig, total_steps: int) -> AdamWOnSums:
    """Builds the optimizer of a config; the train step does the clipping.

    Args:
        config: `TrainConfig`.
        total_steps: int, steps of the whole run.

    Returns:
        AdamW with linear decay to 0, after a warm-up when one is asked for.

    Raises:
        ValueError: when the warm-up is as long as the run.
    """
    return AdamWOnSums(
        learning_rate=LinearWarmupDecay(
            config.learning_rate, total_steps, config.warmup_steps
        ),
        weight_decay=config.weight_decay,
        epsilon=config.adam_epsilon,
    )
