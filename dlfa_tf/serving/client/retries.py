"""Asks again what a server did not answer for reasons that pass."""

import random
import time
from collections.abc import Callable
from typing import Any

from dlfa_tf.serving.client.errors import ServerError

_FIRST_WAIT = 0.05
_LONGEST_WAIT = 2.0


def with_retries(call: Callable[[float], Any], end: float, server: str) -> Any:
    """Calls until there is an answer, another error, or no time left.

    `call` receives the seconds that are left until `end`, on the clock of
    `time.monotonic`. The last error is raised when the next pause would pass
    the deadline, ServerError `DEADLINE_EXCEEDED` when it has passed; an error
    that is not temporary at once.
    """
    wait = _FIRST_WAIT
    while True:
        left = end - time.monotonic()
        if left <= 0:
            raise ServerError(
                "DEADLINE_EXCEEDED", f"{server} did not answer in time."
            )
        try:
            return call(left)
        except ServerError as error:
            # Random, so that many callers do not come back together.
            pause = wait * random.uniform(0.5, 1.5)
            if not error.is_temporary or time.monotonic() + pause >= end:
                raise
        time.sleep(pause)
        wait = min(2 * wait, _LONGEST_WAIT)
