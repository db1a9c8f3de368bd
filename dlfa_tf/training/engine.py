"""The engine: steps, the log, dev scores and checkpoints, on any backend."""

import contextlib
import dataclasses
import math
import pathlib
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from dlfa_tf.training import distribution
from dlfa_tf.training import optimizers
from dlfa_tf.training.checkpoints import CHECKPOINTS
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.dev_choice import DevChoice
from dlfa_tf.training.interruption import NonFiniteTraining
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.objective import EngineSettings
from dlfa_tf.training.objective import Objective
from dlfa_tf.training.progress import Progress
from dlfa_tf.training.run_log import METRICS
from dlfa_tf.training.run_log import RunLog
from dlfa_tf.training.step import Step
from dlfa_tf.training.step import StepValues
from dlfa_tf.training.throughput import Stopwatch
from dlfa_tf.training.throughput import Window
from dlfa_tf.types import Say

# Steps between two entries of the log.
LOG_EVERY = 20
# A loss scale below this has not helped: the model itself overflows.
_SMALLEST_SCALE = 2.0**-14


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Taken:
    """A step that was taken, whose values may not be computed yet."""

    values: StepValues
    tokens: int
    positions: int


class Engine:
    """A training run from step to step: what is due when, and what is kept.

    Nothing waits for the device between two entries of the log: what steps
    report is read there, and before anything is kept (a dev score, a
    checkpoint), so that numbers that are not finite reach no file.

    Args:
        config: the settings, such as `TrainConfig`.
        model: Keras model from features to logits, created in the strategy's
            scope.
        objective: `Objective`, what the model is trained on and for.
        strategy: `tf.distribute` strategy or None for one device.
        is_chief: bool, whether this process writes files.
        stop: `StopRequest` that is looked at after every step.
        say: receives one-line messages about what is going on.
        verbose: int, 1 shows a progress bar, 2 a line now and then.

    Raises:
        ValueError: when the warm-up is as long as the run, or for an option
            that the backend or the strategy does not take.
    """

    def __init__(
        self,
        config: EngineSettings,
        model: Any,
        objective: Objective,
        *,
        strategy: Any = None,
        is_chief: bool = True,
        stop: StopRequest | None = None,
        say: Say = lambda _: None,
        verbose: int = 2,
    ) -> None:
        self.config = config
        self.model = model
        self.objective = objective
        self.strategy = strategy
        self.is_chief = is_chief
        self.stop = stop or StopRequest()
        self.say = say
        self.total_steps = objective.total_steps
        self.step = make_step(config, model, self.total_steps, strategy)
        self.progress = Progress(
            self.total_steps, say, verbose if is_chief else 0
        )
        self.number = 0
        self.choice = DevChoice()
        self.window = Window()
        self.stopwatch = Stopwatch()
        self._unread: list[_Taken] = []
        self._entry: dict[str, Any] | None = None
        self._saved_at = time.monotonic()

    def run(self, run_dir: pathlib.Path) -> dict[str, Any]:
        """Trains, and leaves the weights that score best on dev in the model.

        Goes on from the newest whole checkpoint in `run_dir`, if there is
        one. On one CPU device the result is then the same, bit for bit, as
        without the interruption.

        Args:
            run_dir: folder for `metrics.jsonl`, `logs/` and `checkpoints/`.

        Returns:
            What `results.json` says of training.

        Raises:
            ValueError: when the checkpoint is of other data or of another
                backend.
            NonFiniteTraining: when loss or gradient is not finite.
            TrainingInterrupted: when `stop` asked for it; a checkpoint is
                saved.
            ConnectionError: when another worker is lost.
        """
        self._restore(run_dir)
        try:
            self._train()
        finally:
            self.log.close()
        self.model.set_weights(self.choice.weights)
        return {
            **self.objective.facts(),
            "best_step": self.choice.best_step,
            "total_steps": self.total_steps,
            "dev_score": self.choice.best_score,
            "dev_history": self.choice.history,
        }

    def _restore(self, run_dir: pathlib.Path) -> None:
        """Goes back to the newest checkpoint, or to the start."""
        self.store = CheckpointStore(
            run_dir / CHECKPOINTS, keep=self.config.keep_checkpoints
        )
        loaded = self.store.load(self.say, set_aside=self.is_chief)
        position = 0
        if loaded is not None:
            arrays, meta, best = loaded
            self._check_checkpoint(meta)
            if meta.get("loss_scale"):  # only version 0.1.0 wrote it
                arrays = self.step.with_loss_scale(arrays, **meta["loss_scale"])
            self.step.set_state(arrays)
            self.number = meta["step"]
            self.choice = DevChoice(**meta["choice"], weights=best)
            self.window = Window(**meta["window"])
            position = meta["log_position"]
            self.say(f"going on after step {self.number} of {self.total_steps}")
        distribution.check_same_step(self.strategy, self.number)
        self.log = RunLog(run_dir if self.is_chief else None, position)
        lost = position - self.log.position
        if self.is_chief and lost:
            self.say(
                f"{METRICS} lacks {lost} of the {position} bytes that it had "
                "at the checkpoint; entries before it are lost"
            )

    def _check_checkpoint(self, meta: dict[str, Any]) -> None:
        """Refuses the checkpoint of another run."""
        where = f"The checkpoint in {str(self.store.folder)!r} was trained"
        found = self.objective.fingerprint()
        if meta["data"] != found:
            raise ValueError(
                f"{where} on other data. Received: token arrays with hash "
                f"{found[:12]}. Accepted: {meta['data'][:12]}."
            )
        # Checkpoints of version 0.1.0 do not say: only TensorFlow wrote any.
        written_by = meta.get("backend", "tensorflow")
        backend = keras.backend.backend()
        if written_by != backend:
            raise ValueError(
                f"{where} on another backend, whose random numbers are "
                f"others. Received: KERAS_BACKEND={backend}. Accepted: "
                f"KERAS_BACKEND={written_by}, or another `output_dir`."
            )

    def _save(self) -> None:
        """Saves a checkpoint of the state after the last step."""
        self._saved_at = time.monotonic()
        if not self.is_chief:
            return
        best = self.choice.weights
        # A checkpoint on the disk must not refer to a log that is not there.
        self.log.sync()
        self.store.save(
            self.number,
            self.step.state(),
            {
                "backend": keras.backend.backend(),
                "data": self.objective.fingerprint(),
                "choice": self.choice.to_json(),
                "window": dataclasses.asdict(self.window),
                "log_position": self.log.position,
            },
            (self.choice.best_step, best) if best else None,
        )

    def _train(self) -> None:
        """Takes the steps that are left."""
        replicas = self.step.replicas
        shared = f" over {replicas} replicas" if replicas > 1 else ""
        self.say(
            f"training {self.objective.title}, {self.total_steps} steps of "
            f"{self.objective.batch_size}{shared} (the first step compiles and "
            "takes longest)"
        )
        for features, labels in self.objective.batches(self.number):
            asked = self._take(features, labels)
            self._after_step(asked)

    def _take(
        self, features: dict[str, np.ndarray], labels: np.ndarray
    ) -> bool:
        """Takes a step; returns whether a worker asked to stop."""
        traces = self.step.traces
        several = self.step.workers > 1
        wish = several and self.stop.asked
        self.stopwatch.start()
        began = time.monotonic()
        with self._watched():
            values = self.step(features, labels, wish)
        self.number += 1
        mask = features["padding_mask"]
        taken = _Taken(
            values=values,
            tokens=int(np.count_nonzero(mask)),
            positions=mask.size,
        )
        self._unread.append(taken)
        if self.step.traces == traces:
            self.stopwatch.add(taken.tokens)
        else:
            self.stopwatch.leave_out(time.monotonic() - began)
        if not several:
            return self.stop.asked
        # All workers have to stop after the same step: they wait for it.
        with self._watched():
            return float(values.stops) > 0

    def _after_step(self, asked: bool) -> None:
        """Does what is due: the log, the dev score, a checkpoint."""
        last = self.number == self.total_steps
        every = self.config.dev_every or self.objective.steps_per_epoch
        waited = time.monotonic() - self._saved_at
        log = self.number % LOG_EVERY == 0 or last or self.number == 1
        score = self.number % every == 0 or last
        save = not last and (
            asked or waited >= 60 * self.config.checkpoint_minutes
        )
        if log or score or save:
            self._read()
        self.progress.show(self.number, self._entry)
        if log:
            self._log_window()
        if score:
            self._score()
        if save:
            self._save()
        if asked and not last:
            self.stop.asked = True
            self.stop.check(f"Step {self.number} is saved.")

    def _read(self) -> None:
        """Waits for the steps taken, and looks at what they report."""
        first = self.number - len(self._unread) + 1
        for number, taken in enumerate(self._unread, start=first):
            with self._watched():
                values = taken.values.on_host()
            self._check_finite(number, values)
            self.window.add(
                values.loss,
                values.gradient_norm,
                values.gradient_norm > self.config.clip_norm,
                taken.tokens,
                taken.positions,
            )
        self._unread.clear()
        self.stopwatch.stop()
        self._entry = {**self.window.entry(), **self.stopwatch.entry()}

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Says of an error of a step when it is a lost worker's."""
        try:
            yield
        except Exception as error:
            lost = distribution.lost_worker(self.strategy, error)
            if lost is not None:
                raise lost from error
            raise

    def _check_finite(self, number: int, values: StepValues) -> None:
        """Stops a run whose weights have been spoilt by a step."""
        finite = math.isfinite(values.loss)
        scale = self.step.loss_scale()
        if scale is None:
            finite = finite and math.isfinite(values.gradient_norm)
        elif scale < _SMALLEST_SCALE:
            finite = False
        if finite:
            return
        rows = self.objective.rows_of_step(number)
        raise NonFiniteTraining(
            f"Training broke down at step {number}: loss {values.loss}, "
            f"gradient norm {values.gradient_norm}. Rows of the training "
            f"arrays in this batch: {rows}. Checkpoints "
            "are from before it. A lower learning rate, a warm-up or float32 "
            "may help."
        )

    def _log_window(self) -> None:
        self.log.write(
            {
                "step": self.number,
                "epoch": self.number / self.objective.steps_per_epoch,
                "learning_rate": self.step.learning_rate(),
                **(self._entry or {}),
            }
        )
        self.window = Window()
        self.stopwatch.reset()

    def _score(self) -> None:
        self.step.sync()
        score = self.objective.score(self.step.forward)
        title = self.objective.score_title
        self.say(f"  step {self.number}: {title} {score:.2f}")
        entry = self.choice.add(self.number, score, self.model.get_weights)
        self.log.write(entry)
        for more in self.objective.log_entries():
            self.log.write({"step": self.number, **more})


def make_step(
    config: EngineSettings, model: Any, total_steps: int, strategy: Any
) -> Step:
    """Makes the optimizer and the step of Keras' backend."""
    # Not at the top: each needs its backend.
    if keras.backend.backend() == "jax":
        from dlfa_tf.training.step_jax import JaxStep

        optimizer = optimizers.make_optimizer(config, total_steps, model)
        return JaxStep(model, optimizer, clip_norm=config.clip_norm)
    from dlfa_tf.training.step_tensorflow import TensorFlowStep

    with distribution.scope_of(strategy):
        optimizer = optimizers.make_optimizer(config, total_steps, model)
    return TensorFlowStep(
        model,
        optimizer,
        clip_norm=config.clip_norm,
        strategy=strategy,
        jit_compile=config.jit_compile,
    )
