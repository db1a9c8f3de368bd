"""What an engine trains for, whatever it is: batches, and a score."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import Protocol

import numpy as np

Forward = Callable[[dict[str, Any]], Any]


class EngineSettings(Protocol):
    """What an engine and its step read of the settings of a run.

    `dev_every` are steps between two scores, None for once an epoch.
    """

    @property
    def clip_norm(self) -> float:
        """Limit of the global gradient norm."""

    @property
    def dev_every(self) -> int | None:
        """Steps between two scores."""

    @property
    def checkpoint_minutes(self) -> float:
        """Minutes between two checkpoints."""

    @property
    def keep_checkpoints(self) -> int:
        """Newest checkpoints to keep."""

    @property
    def jit_compile(self) -> bool:
        """Whether XLA compiles the step."""

    @property
    def learning_rate(self) -> float:
        """Highest learning rate."""

    @property
    def warmup_steps(self) -> int:
        """Steps in which the rate rises from 0 first."""

    @property
    def weight_decay(self) -> float:
        """Weight decay of AdamW."""

    @property
    def adam_epsilon(self) -> float:
        """Epsilon of AdamW."""

    @property
    def new_layer_rate(self) -> float:
        """Factor of the learning rate for what the encoder does not have."""

    @property
    def precision(self) -> str:
        """Dtype policy."""


class Objective(Protocol):
    """Batches for a model to train on, and the score that chooses weights.

    Attributes:
        title: str, what is trained and on how much, for messages.
        score_title: str, name of the score, for messages.
        steps_per_epoch: int, steps that see everything once.
        total_steps: int, steps of the run.
        batch_size: int, rows of a step over all replicas.
    """

    title: str
    score_title: str
    steps_per_epoch: int
    total_steps: int
    batch_size: int

    def batches(
        self, start_step: int
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Yields features and labels of the steps after `start_step`.

        A step's batch depends on nothing but its number, so that a run can
        go on from any.
        """

    def rows_of_step(self, number: int) -> list[int]:
        """Rows of the training arrays in the batch of a step, from 1 on."""

    def fingerprint(self) -> str:
        """Hash of all that training sees."""

    def score(self, forward: Forward) -> float:
        """Score in percent of the weights as they are; higher is better."""

    def log_entries(self) -> list[dict[str, Any]]:
        """What else to log beside a score."""

    def facts(self) -> dict[str, Any]:
        """What results say of the data."""
