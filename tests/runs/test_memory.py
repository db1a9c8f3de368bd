"""Tests of dlfa_tf.runs.memory."""

import ctypes
import gc
import signal
import sys
import weakref

import numpy as np
import pytest

from benchmarks import process_memory
from dlfa_tf.runs import memory


class Circle:
    """Refers to itself, as Keras' models do."""

    def __init__(self):
        self.itself = self


def test_circles_are_freed():
    freed = weakref.ref(Circle())
    memory.give_back()
    assert freed() is None


def test_ctrl_c_during_the_search_is_not_lost():
    def interrupt(phase, _):
        if phase == "stop":
            signal.raise_signal(signal.SIGINT)

    # What a shell starts in the background ignores SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.callbacks.append(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            memory.give_back()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        gc.callbacks.remove(interrupt)
        signal.signal(signal.SIGINT, before)


def test_a_c_library_without_the_function_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.give_back()


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="only glibc keeps memory that it can be asked for",
)
def test_free_memory_goes_back_to_the_system():
    # Too small for pages of their own; what lies on top keeps them.
    arrays = [np.ones(2**12) for _ in range(2**11)]
    kept = arrays[-1]
    before = process_memory.resident_bytes()
    del arrays
    memory.give_back()
    assert process_memory.resident_bytes() < before - 2**25
    assert kept.sum() == 2**12
