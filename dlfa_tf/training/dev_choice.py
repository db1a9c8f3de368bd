"""The choice of weights by score on the English dev set."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np


@dataclasses.dataclass
class DevChoice:
    """Remembers the weights that score best on English dev.

    Only a strictly better score replaces the best one, and the last weights
    are always scored too, as in the XTREME scripts.

    Attributes:
        best_step: int, step of the best score; 0 before the first.
        best_score: float, in percent.
        history: one dict with `step` and `dev_score` for every score.
        weights: copies of the best weights; empty before the first score.
    """

    best_step: int = 0
    best_score: float = -1.0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    weights: list[np.ndarray] = dataclasses.field(default_factory=list)

    def add(
        self, step: int, score: float, weights: Callable[[], list[np.ndarray]]
    ) -> dict[str, float]:
        """Adds the score of a step.

        Args:
            step: int.
            score: float, headline score in percent.
            weights: function that copies the weights; called for a best score.

        Returns:
            The entry of the history.
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
