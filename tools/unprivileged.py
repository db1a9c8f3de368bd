"""Makes root an ordinary user for a while, who may not read all files."""

import contextlib
import ctypes
import os
from collections.abc import Iterator

# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, see capabilities(7).
_OVERRIDES = (1 << 1) | (1 << 2)
_VERSION = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """File permissions hold for this thread, also when it is root's.

    Raises:
        OSError: when the system does not let go of root's rights.
    """
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = _Header(_VERSION, 0), (_Data * 2)()

    def call(function: str) -> None:
        if getattr(libc, function)(ctypes.byref(header), ctypes.byref(data)):
            number = ctypes.get_errno()
            raise OSError(number, f"{function}: {os.strerror(number)}")

    call("capget")
    before = data[0].effective
    data[0].effective = before & ~_OVERRIDES
    call("capset")
    try:
        yield
    finally:
        data[0].effective = before
        call("capset")
