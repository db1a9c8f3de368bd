"""Tests of the optimizer of a run; on replicas: test_distribution.py."""

import keras
import numpy as np
import pytest

from dlfa_tf.training.config import default_config
from dlfa_tf.training.optimizers import AdamWOnSums
from dlfa_tf.training.optimizers import make_optimizer


def test_settings_reach_the_optimizer():
    config = default_config(
        "pos",
        output_dir="o",
        data_source="sample",
        weight_decay=0.25,
        compact_vocabulary=False,
        adam_epsilon=1e-3,
        learning_rate=0.5,
        warmup_steps=2,
    )
    optimizer = make_optimizer(config, 10)
    assert optimizer.weight_decay == 0.25
    assert optimizer.epsilon == 1e-3
    assert optimizer.global_clipnorm is None
    schedule = optimizer._learning_rate
    assert [float(schedule(s)) for s in (0, 1, 2, 6)] == [0, 0.25, 0.5, 0.25]


def test_on_one_device_it_is_adamw():
    ours, theirs = keras.Variable([1.0, 2.0]), keras.Variable([1.0, 2.0])
    for optimizer, variable in (
        (AdamWOnSums(0.1, weight_decay=0.1), ours),
        (keras.optimizers.AdamW(0.1, weight_decay=0.1), theirs),
    ):
        for _ in range(3):
            gradient = keras.ops.convert_to_tensor([0.5, -2.0])
            optimizer.apply([gradient], [variable])
    np.testing.assert_array_equal(np.array(ours), np.array(theirs))


def test_the_hook_is_still_there():
    """Fails when Keras renames what `AdamWOnSums` overrides."""
    assert hasattr(keras.optimizers.AdamW, "_all_reduce_sum_gradients")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
