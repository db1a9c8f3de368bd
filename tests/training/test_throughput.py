"""Tests of the means between two entries of the log."""

import dataclasses
import json

import numpy as np
import pytest

from dlfa_tf.training import throughput
from dlfa_tf.training.throughput import Stopwatch
from dlfa_tf.training.throughput import Window


def test_means_over_the_steps():
    window = Window()
    window.add(1.0, 4.0, True, 5, 8)
    window.add(2.0, 2.0, False, 2, 4)
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
    window.add(1.0, norm, norm > 1, 5, 8)
    assert window.entry()["gradient_norm"] is None
    window.add(2.0, 4.0, True, 5, 8)
    entry = window.entry()
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert (entry["loss"], entry["gradient_norm"]) == (1.5, 4.0)
    assert entry["clipped_share"] == entry["skipped_share"] == 0.5


def test_goes_on_from_its_plain_values():
    window = Window()
    window.add(1.0, 4.0, True, 5, 8)
    again = Window(**dataclasses.asdict(window))
    assert again == window
    again.add(3.0, 0.0, False, 5, 8)
    assert again.entry()["loss"] == 2.0


@pytest.fixture
def clock(monkeypatch):
    """Time as the test sets it, in seconds."""
    now = [0.0]
    monkeypatch.setattr(throughput.time, "monotonic", lambda: now[0])
    return now


def test_times_and_tokens_of_the_steps_that_count(clock):
    watch = Stopwatch()
    assert set(watch.entry()["timing"]) == {"peak_memory_bytes"}
    for tokens in (100, 300):
        watch.start()
        clock[0] += 1.0
        watch.add(tokens)
    watch.start()
    clock[0] += 7.0
    watch.leave_out(7.0)  # a step that was traced
    watch.stop()
    clock[0] += 5.0  # a dev score
    timing = watch.entry()["timing"]
    assert timing["step_seconds"] == 1.0
    assert timing["tokens_per_second"] == 200.0
    watch.reset()
    assert "step_seconds" not in watch.entry()["timing"]
