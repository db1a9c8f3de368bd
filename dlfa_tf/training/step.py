"""What a step of training is to the engine, whatever computes it."""

from typing import Any
from typing import NamedTuple
from typing import Protocol

import numpy as np


class StepValues(NamedTuple):
    """What a step reports: scalars, on the device until they are read.

    Attributes:
        loss: mean cross entropy over the labelled positions of the batch.
        gradient_norm: global norm of the gradient, before clipping.
        stops: number of workers that want all workers to stop.
    """

    loss: Any
    gradient_norm: Any
    stops: Any = 0

    def on_host(self) -> "StepValues":
        """The same as floats; waits for the step."""
        return StepValues(*(float(x) for x in self))


class Step(Protocol):
    """Computes steps of training; see `TensorFlowStep` and `JaxStep`.

    Attributes:
        replicas: int, devices that share a batch.
        workers: int, processes that train together.
        traces: int, how often a step has been traced or compiled.
    """

    replicas: int
    workers: int
    traces: int

    def __call__(
        self, features: dict[str, np.ndarray], labels: np.ndarray, stop: bool
    ) -> StepValues:
        """Takes a step, and need not wait for it.

        Args:
            features: dict of arrays `(rows, time)`, the global batch.
            labels: int32 `(rows,)` or `(rows, time)`, -1 for no label.
            stop: bool, whether this worker wants all workers to stop.

        Returns:
            `StepValues` of the step.
        """

    def forward(self, features: dict[str, Any]) -> np.ndarray:
        """Logits of a batch of at most 64 rows, without dropout."""

    def sync(self) -> None:
        """Brings the variables of the model up to the last step."""

    def state(self) -> list[np.ndarray]:
        """Every number that the next step depends on, besides the batch."""

    def set_state(self, state: list[np.ndarray]) -> None:
        """Puts back what `state` returned."""

    def with_loss_scale(
        self, state: list[np.ndarray], value: float, good_steps: int
    ) -> list[np.ndarray]:
        """Makes a state of one that was saved without its loss scale."""

    def learning_rate(self) -> float:
        """Rate of the next step."""

    def loss_scale(self) -> float | None:
        """Factor of the loss now; None where the loss is not scaled."""
