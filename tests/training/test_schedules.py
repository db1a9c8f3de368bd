"""Tests of the learning rate over the steps."""

import keras
import pytest

from dlfa_tf.training.schedules import LinearWarmupDecay


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
