"""Means over the steps since the last entry of the log."""

import dataclasses
import math
import time

from dlfa_tf.runs import environment
from dlfa_tf.training.run_log import TIMING


@dataclasses.dataclass
class Window:
    """Sums over the steps since the last entry.

    They are part of a checkpoint, so that the first entry after a resumed
    step is the one that an undisturbed run writes.

    `clipped` steps had their gradient clipped. `skipped` ones had a norm that
    was not finite, which mixed_float16 leaves out; `gradient_norm`, before
    clipping, is without these. `tokens` are real pieces, `positions` pieces
    with padding.
    """

    steps: int = 0
    loss: float = 0.0
    gradient_norm: float = 0.0
    clipped: int = 0
    skipped: int = 0
    tokens: int = 0
    positions: int = 0

    def add(
        self,
        loss: float,
        gradient_norm: float,
        clipped: bool,
        tokens: int,
        positions: int,
    ) -> None:
        """Adds a step and the size of its batch."""
        self.steps += 1
        self.loss += loss
        if math.isfinite(gradient_norm):
            self.gradient_norm += gradient_norm
            self.clipped += int(clipped)
        else:
            self.skipped += 1
        self.tokens += tokens
        self.positions += positions

    def entry(self) -> dict[str, float | None]:
        """Means, as plain values; None for the norm of no step."""
        taken = self.steps - self.skipped
        return {
            "loss": self.loss / self.steps,
            "gradient_norm": self.gradient_norm / taken if taken else None,
            "clipped_share": self.clipped / self.steps,
            "skipped_share": self.skipped / self.steps,
            "padding_share": 1 - self.tokens / self.positions,
        }


class Stopwatch:
    """Seconds and tokens of the steps since the last entry.

    The clock runs from the start of a step until the engine has read what
    the steps computed: a step returns before the device has finished it. The
    time of steps that traced or compiled is left out, and so is all that is
    done between steps.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets the steps."""
        self._steps = self._tokens = 0
        self._seconds = 0.0
        self._since: float | None = None

    def start(self) -> None:
        """Lets the clock run, if it does not."""
        if self._since is None:
            self._since = time.monotonic()

    def add(self, tokens: int) -> None:
        """Counts a step that the clock runs for."""
        self._steps += 1
        self._tokens += tokens

    def leave_out(self, seconds: float) -> None:
        """Takes away time in which a step was traced or compiled."""
        self._seconds -= seconds

    def stop(self) -> None:
        """Stops the clock."""
        if self._since is not None:
            self._seconds += time.monotonic() - self._since
            self._since = None

    def entry(self) -> dict[str, dict[str, float]]:
        """Times and memory under one key: they differ between equal runs."""
        timing: dict[str, float] = {
            "peak_memory_bytes": environment.peak_memory_bytes()
        }
        gpu = environment.peak_gpu_memory_bytes()
        if gpu is not None:
            timing["peak_gpu_memory_bytes"] = gpu
        if self._steps and self._seconds:
            timing["step_seconds"] = round(self._seconds / self._steps, 4)
            timing["tokens_per_second"] = round(self._tokens / self._seconds, 1)
        return {TIMING: timing}
