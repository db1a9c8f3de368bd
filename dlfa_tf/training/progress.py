"""How a run shows that it is alive."""

import time
from typing import Any

import keras

from dlfa_tf.types import Say

# Seconds between two lines where there is no terminal for a bar.
_SAY_SECONDS = 30.0
_FIGURES = ("loss", "tokens/s", "padding", "GiB")


class Progress:
    """Keras' progress bar, or a line now and then.

    `verbose` 0 shows nothing, 1 the bar, 2 lines, which `say` receives.
    """

    def __init__(self, total_steps: int, say: Say, verbose: int) -> None:
        self.total_steps = total_steps
        self.say = say
        self.verbose = verbose
        self._bar: Any = None
        self._said_at = time.monotonic()

    def show(self, step: int, entry: dict[str, Any] | None) -> None:
        """Shows a step, with the figures that were read last if any were."""
        figures = _figures(entry)
        last = step == self.total_steps
        if self.verbose == 1:
            if self._bar is None:
                # Made late: its clock starts here, not before tracing.
                self._bar = keras.utils.Progbar(
                    self.total_steps,
                    stateful_metrics=list(_FIGURES),
                    unit_name="step",
                )
            values = list(figures.items())
            self._bar.update(step, values=values, finalize=last)
        elif self.verbose and time.monotonic() - self._said_at > _SAY_SECONDS:
            self._said_at = time.monotonic()
            text = ", ".join(f"{k} {v:.4g}" for k, v in figures.items())
            text = f": {text}" if text else ""
            self.say(f"  step {step} of {self.total_steps}{text}")


def _figures(entry: dict[str, Any] | None) -> dict[str, float]:
    """Those that are known: a step that compiles has no speed."""
    if entry is None:
        return {}
    timing = entry["timing"]
    values = (
        entry["loss"],
        timing.get("tokens_per_second"),
        entry["padding_share"],
        timing["peak_memory_bytes"] / 2**30,
    )
    return {
        k: v for k, v in zip(_FIGURES, values, strict=True) if v is not None
    }
