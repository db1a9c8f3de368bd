"""Memory that is free goes back to the system."""

import ctypes
import gc
import sys


def give_back() -> None:
    """Frees what nothing refers to any more, and gives its memory back.

    Keras' models refer to themselves in circles, so that only a search for
    garbage frees them. What is free then stays with the C library, half a GiB
    after a training with `e5_small_multi`, until glibc is asked for it.
    """
    gc.collect()
    if sys.platform != "linux":
        return
    # Other C libraries have no such function.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
