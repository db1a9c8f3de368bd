"""Tests of optimizer and rate of a run; on replicas: test_distribution.py."""

import keras
import numpy as np
import pytest

from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.optimizers import AdamWOnSums
from dlfa_tf.training.optimizers import LinearWarmupDecay
from dlfa_tf.training.optimizers import make_optimizer


def rates(schedule, steps):
    return [float(schedule(step)) for step in range(steps)]


def test_falls_linearly_from_the_first_step():
    schedule = LinearWarmupDecay(2.0, total_steps=4)
    assert rates(schedule, 6) == [2.0, 1.5, 1.0, 0.5, 0.0, 0.0]


def test_rises_first_with_a_warm_up():
    schedule = LinearWarmupDecay(1.0, total_steps=6, warmup_steps=2)
    assert rates(schedule, 7) == [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]


@pytest.mark.parametrize("warmup", [-1, 4, 9])
def test_warm_up_must_end_within_the_run(warmup):
    with pytest.raises(ValueError, match=f"{warmup} for a run of 4.*0 to 3"):
        LinearWarmupDecay(1.0, total_steps=4, warmup_steps=warmup)


def test_config_round_trip():
    schedule = LinearWarmupDecay(1.0, total_steps=6, warmup_steps=2)
    schedules = keras.optimizers.schedules
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()
    assert rates(again, 7) == rates(schedule, 7)


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
    optimizer = make_optimizer(config, 10, None)
    assert optimizer.weight_decay == 0.25
    assert optimizer.epsilon == 1e-3
    assert optimizer.global_clipnorm is None
    schedule = optimizer._learning_rate
    assert [float(schedule(s)) for s in (0, 1, 2, 6)] == [0, 0.25, 0.5, 0.25]


@pytest.mark.parametrize("rate", [1.0, 3.0])
def test_new_layers_move_at_their_own_rate(rate):
    model = DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["a", "b"]
    )
    config = default_config(
        "pos",
        output_dir="o",
        data_source="sample",
        fusion_layer=1,
        learning_rate=1e-3,
        new_layer_rate=rate,
    )
    optimizer = make_optimizer(config, 10, model)
    variables = model.trainable_variables
    optimizer.build(variables)
    before = [np.array(v) for v in variables]
    # Adam's first step is the rate times the sign of the gradient.
    optimizer.apply([keras.ops.ones(v.shape) for v in variables], variables)
    moved = {
        v.path: float(np.max(old - np.array(v)))
        for v, old in zip(variables, before, strict=True)
    }
    for path, step in moved.items():
        new = path.startswith(("dlfa/", "logits/"))
        expected = 1e-3 * (rate if new else 1.0)
        assert step == pytest.approx(expected, rel=1e-2), path
    assert sum(path.startswith("dlfa/") for path in moved) == 16


def test_float16_scales_the_loss():
    config = default_config(
        "pos",
        output_dir="o",
        data_source="sample",
        precision="mixed_float16",
    )
    optimizer = make_optimizer(config, 10, None)
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert isinstance(optimizer.inner_optimizer, AdamWOnSums)


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
