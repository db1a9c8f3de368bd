"""Memory that is free goes back to the system."""

import ctypes
import gc
import signal
import sys
import threading


def give_back() -> None:
    """Frees what nothing refers to any more, and gives its memory back.

    Keras' models refer to themselves in circles, so that only a search for
    garbage frees them. What is free then stays with the C library until glibc
    is asked for it.
    """
    _collect()
    if sys.platform != "linux":
        return
    # Other C libraries have no such function.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _collect() -> None:
    """Searches for garbage; Ctrl-C meanwhile comes right after.

    JAX, which keras-hub imports, has a callback called by every search, and
    Python throws away what is raised in one.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not (
        threading.main_thread()
    ):
        gc.collect()
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        gc.collect()
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)
