"""Tests of the factor of the loss in float16."""

from dlfa_tf.training.loss_scale import LossScale


def test_halves_on_overflow_and_starts_counting_anew():
    scale = LossScale(value=8.0, good_steps=5)
    scale.update(finite=False)
    assert scale == LossScale(value=4.0, good_steps=0)


def test_doubles_after_two_thousand_good_steps():
    scale = LossScale(value=8.0)
    for _ in range(1999):
        scale.update(finite=True)
    assert scale == LossScale(value=8.0, good_steps=1999)
    scale.update(finite=True)
    assert scale == LossScale(value=16.0, good_steps=0)


def test_gives_up_when_halving_does_not_help():
    scale = LossScale()
    halvings = 0
    while not scale.exhausted:
        scale.update(finite=False)
        halvings += 1
    assert halvings == 30
