"""Loss scaling for float16, on the host's side of the step."""

import dataclasses

# As Keras' LossScaleOptimizer, which cannot be used here: it clips before it
# takes the scale away.
_INITIAL = 2.0**15
_GROWTH_STEPS = 2000
_SMALLEST = 2.0**-14


@dataclasses.dataclass
class LossScale:
    """Factor of the loss: halved on overflow, doubled after 2000 good steps.

    Attributes:
        value: float.
        good_steps: int, steps without overflow since the last change.
    """

    value: float = _INITIAL
    good_steps: int = 0

    def update(self, finite: bool) -> None:
        """Takes note of a step whose gradient was finite or not."""
        if not finite:
            self.value, self.good_steps = self.value / 2, 0
        elif self.good_steps + 1 == _GROWTH_STEPS:
            self.value, self.good_steps = self.value * 2, 0
        else:
            self.good_steps += 1

    @property
    def exhausted(self) -> bool:
        """Whether halving has not helped: the model itself overflows."""
        return self.value < _SMALLEST
