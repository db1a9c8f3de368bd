"""Tests of the means between two entries of the log."""

import dataclasses
import json

import numpy as np
import pytest

from dlfa_tf.training.throughput import Stopwatch
from dlfa_tf.training.throughput import Window

MASK = np.array([[True, True, False, False], [True, True, True, False]])


def test_means_over_the_steps():
    window = Window()
    assert window.add(1.0, 4.0, True, MASK) == 5
    window.add(2.0, 2.0, False, MASK[:1])
    assert window.entry() == {
        "loss": 1.5,
        "gradient_norm": 3.0,
        "clipped_share": 0.5,
        "skipped_share": 0.0,
        "padding_share": pytest.approx(5 / 12),
    }


@pytest.mark.parametrize("norm", [np.inf, np.nan])
def test_step_that_overflowed_is_counted_alone(norm):
    window = Window()
    window.add(1.0, norm, norm > 1, MASK)
    assert window.entry()["gradient_norm"] is None
    window.add(2.0, 4.0, True, MASK)
    entry = window.entry()
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert (entry["loss"], entry["gradient_norm"]) == (1.5, 4.0)
    assert entry["clipped_share"] == entry["skipped_share"] == 0.5


def test_goes_on_from_its_plain_values():
    window = Window()
    window.add(1.0, 4.0, True, MASK)
    again = Window(**dataclasses.asdict(window))
    assert again == window
    again.add(3.0, 0.0, False, MASK)
    assert again.entry()["loss"] == 2.0


def test_times_and_tokens_of_the_steps_that_count():
    watch = Stopwatch()
    assert set(watch.entry()["timing"]) == {"peak_memory_bytes"}
    watch.add(0.5, 100)
    watch.add(1.5, 300)
    timing = watch.entry()["timing"]
    assert timing["step_seconds"] == 1.0
    assert timing["tokens_per_second"] == 200.0
    watch.reset()
    assert "step_seconds" not in watch.entry()["timing"]


def test_clock_runs_from_start():
    watch = Stopwatch()
    watch.start()
    assert 0 <= watch.stop() < 5
