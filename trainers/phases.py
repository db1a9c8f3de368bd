"""The parts of a long program, with a bar and what is left of the time."""

import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager

from dlfa_tf.types import Say

_WIDTH = 20


class Phases:
    """Says which part begins, and how long each took.

    `shares` are the parts, in order, with the share of the time that each is
    expected to take; their sum is 1. What is left is estimated from those that
    were done: a part that was done before, in no time, says nothing of it.
    """

    def __init__(
        self,
        shares: Mapping[str, float],
        say: Say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shares = dict(shares)
        self._names = list(shares)
        self._say = say
        self._clock = clock
        self._worked = self._expected = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Runs a part, one of the names in `shares`."""
        number = self._names.index(name)
        begun = sum(self._shares[x] for x in self._names[:number])
        full = round(_WIDTH * begun)
        bar = "#" * full + "-" * (_WIDTH - full)
        self._say(
            f"[{bar}] {number + 1} of {len(self._names)}: {name}"
            f"{self._left(1 - begun)}"
        )
        started = self._clock()
        yield
        seconds = self._clock() - started
        if seconds >= 1:
            self._worked += seconds
            self._expected += self._shares[name]

    def _left(self, share: float) -> str:
        if not self._expected:
            return ""
        seconds = self._worked / self._expected * share
        if seconds < 90:
            return f" (about {max(5, 5 * round(seconds / 5))} s left)"
        return f" (about {round(seconds / 60)} min left)"
