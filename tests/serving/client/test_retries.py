"""Tests of asking again."""

import time

import pytest

from dlfa_tf.serving.client import retries
from dlfa_tf.serving.client.errors import CallerError
from dlfa_tf.serving.client.errors import error_of
from tests.serving.client.test_errors import NEIGHBOURS


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only in pauses, which it lists."""

    class Clock:
        now = 0.0
        pauses = []

        def sleep(self, seconds):
            self.pauses.append(seconds)
            self.now += seconds

    clock = Clock()
    clock.pauses = []
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


def failing(times, code="UNAVAILABLE", message="no"):
    left = [times]

    def call(seconds):
        assert seconds > 0
        if left[0]:
            left[0] -= 1
            raise error_of(code, message)
        return "answer"

    return call


def test_pauses_grow_to_a_limit(clock):
    assert retries.with_retries(failing(12), 100, "server") == "answer"
    assert len(clock.pauses) == 12
    for i, pause in enumerate(clock.pauses):
        middle = min(0.05 * 2**i, 2.0)
        assert 0.5 * middle <= pause <= 1.5 * middle


def test_full_server_and_wrong_neighbours_are_waited_for(clock):
    call = failing(2, "RESOURCE_EXHAUSTED")
    assert retries.with_retries(call, 100, "server") == "answer"
    call = failing(2, "FAILED_PRECONDITION", NEIGHBOURS)
    assert retries.with_retries(call, 100, "server") == "answer"
    assert len(clock.pauses) == 4


def test_errors_of_callers_are_raised_at_once(clock):
    with pytest.raises(CallerError, match="FAILED_PRECONDITION: no"):
        retries.with_retries(failing(1, "FAILED_PRECONDITION"), 3, "server")
    assert clock.pauses == []


def test_pause_past_the_deadline_is_not_made(clock):
    with pytest.raises(retries.ServerError, match="UNAVAILABLE"):
        retries.with_retries(failing(1000), 3, "server")
    assert clock.now < 3


def test_other_errors_are_raised_at_once(clock):
    with pytest.raises(retries.ServerError, match="INTERNAL"):
        retries.with_retries(failing(1, "INTERNAL"), 3, "server")
    assert clock.pauses == []


def test_deadline_that_has_passed_is_named(clock):
    clock.now = 5
    with pytest.raises(retries.ServerError, match="server did not answer"):
        retries.with_retries(failing(0), 5, "server")
