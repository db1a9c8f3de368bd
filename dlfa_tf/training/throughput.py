"""Means over the steps since the last entry of the log."""

import dataclasses
import math
import time
from typing import Any

import numpy as np

from dlfa_tf.runs import environment
from dlfa_tf.training.run_log import TIMING


@dataclasses.dataclass
class Window:
    """Sums over the steps since the last entry.

    They are part of a checkpoint, so that the first entry after a resumed
    step is the one that an undisturbed run writes.

    Attributes:
        steps: int.
        loss: float, sum of the losses.
        gradient_norm: float, sum of the norms before clipping, of the steps
            that were not skipped.
        clipped: int, steps whose gradient was clipped.
        skipped: int, steps whose norm was not finite, which mixed_float16
            leaves out.
        tokens: int, real pieces.
        positions: int, pieces with padding.
    """

    steps: int = 0
    loss: float = 0.0
    gradient_norm: float = 0.0
    clipped: int = 0
    skipped: int = 0
    tokens: int = 0
    positions: int = 0

    def add(
        self, loss: float, gradient_norm: float, clipped: bool, mask: Any
    ) -> int:
        """Adds a step with its padding mask `(rows, time)`.

        Returns:
            Real pieces of the step.
        """
        tokens = int(np.count_nonzero(mask))
        self.steps += 1
        self.loss += loss
        if math.isfinite(gradient_norm):
            self.gradient_norm += gradient_norm
            self.clipped += int(clipped)
        else:
            self.skipped += 1
        self.tokens += tokens
        self.positions += int(np.size(mask))
        return tokens

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

    Steps that traced or compiled are left out: they say nothing of the rest.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets the steps."""
        self._steps = self._tokens = 0
        self._seconds = 0.0

    def start(self) -> None:
        """Starts the time of a step."""
        self._since = time.monotonic()

    def stop(self) -> float:
        """Returns the seconds since `start`."""
        return time.monotonic() - self._since

    def add(self, seconds: float, tokens: int) -> None:
        """Adds a step."""
        self._steps += 1
        self._seconds += seconds
        self._tokens += tokens

    def entry(self) -> dict[str, dict[str, float]]:
        """Times and memory under one key: they differ between equal runs."""
        timing: dict[str, float] = {
            "peak_memory_bytes": environment.peak_memory_bytes()
        }
        gpu = environment.peak_gpu_memory_bytes()
        if gpu is not None:
            timing["peak_gpu_memory_bytes"] = gpu
        if self._steps:
            timing["step_seconds"] = round(self._seconds / self._steps, 4)
            timing["tokens_per_second"] = round(self._tokens / self._seconds, 1)
        return {TIMING: timing}
