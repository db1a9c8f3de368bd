"""Memory of this process at this moment, as Linux tells it.

`resource` knows only the most that there has been.
"""

import pathlib
import resource


def resident_bytes() -> int:
    """What lies in memory."""
    return _bytes(1)


def address_space_bytes() -> int:
    """All addresses that are taken, as `RLIMIT_AS` counts them."""
    return _bytes(0)


def _bytes(field: int) -> int:
    pages = pathlib.Path("/proc/self/statm").read_text("ascii").split()[field]
    return int(pages) * resource.getpagesize()
