"""Keeps the weights that score best on the English dev set."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras

from dlfa_tf.evaluation.run_folder import append_json_line


class DevCheckpoint(keras.callbacks.Callback):
    """Scores the model at fixed intervals and remembers the best weights.

    Only a strictly better score replaces the best one, and the last weights
    are always scored too, as in the XTREME scripts. No other data than the
    English dev set is read here.

    Args:
        score_dev: function that returns the headline score of the current
            weights on the English dev set, in percent.
        steps_per_epoch: int.
        total_steps: int.
        every: int or None, steps between two scores; None is once an epoch.
        metrics_file: `metrics.jsonl` of the run.
        log_every: int, steps between two lines of training loss.
    """

    def __init__(
        self,
        score_dev: Callable[[], float],
        *,
        steps_per_epoch: int,
        total_steps: int,
        every: int | None,
        metrics_file: pathlib.Path,
        log_every: int = 20,
    ) -> None:
        super().__init__()
        self.score_dev = score_dev
        self.steps_per_epoch = steps_per_epoch
        self.total_steps = total_steps
        self.every = every or steps_per_epoch
        self.metrics_file = metrics_file
        self.log_every = log_every
        self.step = 0
        self.best_step = 0
        self.best_score = -1.0
        self.history: list[dict[str, float]] = []
        self._best_weights: list[Any] = []
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Logs the loss and scores the dev set when it is time."""
        self.step += 1
        logs = logs or {}
        last = self.step == self.total_steps
        if self.step % self.log_every == 0 or last or self.step == 1:
            rate = self.model.optimizer.learning_rate
            append_json_line(
                self.metrics_file,
                {
                    "step": self.step,
                    "epoch": self.step / self.steps_per_epoch,
                    # Keras' running mean over the epoch so far.
                    "epoch_mean_loss": float(logs["loss"]),
                    "learning_rate": float(keras.ops.convert_to_numpy(rate)),
                    "seconds": round(time.monotonic() - self._started, 2),
                },
            )
        if self.step % self.every == 0 or last:
            self._check()

    def _check(self) -> None:
        value = self.score_dev()
        entry = {"step": self.step, "dev_score": value}
        self.history.append(entry)
        append_json_line(self.metrics_file, entry)
        if value > self.best_score:
            self.best_score = value
            self.best_step = self.step
            self._best_weights = self.model.get_weights()

    def restore_best(self) -> None:
        """Puts the best weights back into the model."""
        self.model.set_weights(self._best_weights)
