"""What a step of training is to the engine, whatever computes it."""

from typing import Any
from typing import NamedTuple
from typing import Protocol

import numpy as np


class StepValues(NamedTuple):
    """What a step reports: scalars, on the device until they are read.

    `loss` is the mean cross entropy over the labelled positions of the batch,
    `gradient_norm` the global norm before clipping, `stops` the number of
    workers that want all workers to stop.
    """

    loss: Any
    gradient_norm: Any
    stops: Any = 0

    def on_host(self) -> "StepValues":
        """The same as floats; waits for the step."""
        return StepValues(*(float(x) for x in self))


class Step(Protocol):
    """Computes steps of training; see `TensorFlowStep` and `JaxStep`.

    `replicas` are the devices that share a batch, `workers` the processes that
    train together; `traces` counts how often a step has been traced or
    compiled.
    """

    replicas: int
    workers: int
    traces: int

    def __call__(
        self, features: dict[str, np.ndarray], labels: np.ndarray, stop: bool
    ) -> StepValues:
        """Takes a step on the global batch, and need not wait for it.

        Features are `(rows, time)`, labels int32 `(rows,)` or `(rows, time)`,
        -1 for no label. `stop`: this worker wants all workers to stop.
        """

    def forward(self, features: dict[str, Any]) -> np.ndarray:
        """Logits of a batch of at most `EVAL_BATCH` rows, without dropout."""

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
