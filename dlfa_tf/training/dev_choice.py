"""The choice of weights by score on dev of the source languages."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np


@dataclasses.dataclass
class DevChoice:
    """Remembers the weights that score best on dev.

    Only a strictly better score replaces the best one, and the last weights are
    always scored too, as in the XTREME scripts. Scores are in percent. Before
    the first, `best_step` is 0 and `weights` are empty. `history` has one dict
    with `step` and `dev_score` for every score.
    """

    best_step: int = 0
    # Below any score: Matthews' correlation goes down to -100.
    best_score: float = -1000.0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    weights: list[np.ndarray] = dataclasses.field(default_factory=list)

    def add(
        self, step: int, score: float, weights: Callable[[], list[np.ndarray]]
    ) -> dict[str, float]:
        """Adds the score of a step and returns its entry of the history.

        `weights` copies the weights; it is called for a best score only.
        """
        entry = {"step": step, "dev_score": score}
        self.history.append(entry)
        if score > self.best_score:
            self.best_score = score
            self.best_step = step
            self.weights = weights()
        return entry

    def to_json(self) -> dict[str, Any]:
        """Everything but the weights, as plain values."""
        return {
            "best_step": self.best_step,
            "best_score": self.best_score,
            "history": self.history,
        }
