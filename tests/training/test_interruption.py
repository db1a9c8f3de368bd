"""Tests of being asked to stop."""

import os
import signal
import threading

import pytest

from dlfa_tf.training.interruption import TrainingInterrupted
from dlfa_tf.training.interruption import stop_on_sigterm


def test_sigterm_sets_a_flag_and_the_old_handler_returns():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append("old"))
    try:
        with stop_on_sigterm() as request:
            request.check("nothing yet")
            os.kill(os.getpid(), signal.SIGTERM)
            assert request.asked
            with pytest.raises(TrainingInterrupted, match=r"Step 3.*--resume"):
                request.check("Step 3 is saved.")
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen == ["old"]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_leaves_signals_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work():
        with stop_on_sigterm() as request:
            seen.append((request.asked, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
