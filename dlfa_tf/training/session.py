"""A training run from step to step: what is due when, and what is kept."""

import dataclasses
import math
import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dlfa_tf.data.pipelines import epoch_batches
from dlfa_tf.data.pipelines import train_dataset
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring.predict import label_names
from dlfa_tf.scoring.predict import predict_logits
from dlfa_tf.scoring.score import score_labels
from dlfa_tf.training.checkpoints import CHECKPOINTS
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.dev_choice import DevChoice
from dlfa_tf.training.distribution import check_same_step
from dlfa_tf.training.distribution import lost_worker
from dlfa_tf.training.distribution import scope_of
from dlfa_tf.training.gate_statistics import GateProbe
from dlfa_tf.training.interruption import NonFiniteTraining
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.loss_scale import LossScale
from dlfa_tf.training.optimizers import make_optimizer
from dlfa_tf.training.prepared import Prepared
from dlfa_tf.training.progress import Progress
from dlfa_tf.training.run_log import METRICS
from dlfa_tf.training.run_log import RunLog
from dlfa_tf.training.throughput import Stopwatch
from dlfa_tf.training.throughput import Window
from dlfa_tf.training.train_step import StepValues
from dlfa_tf.training.train_step import TrainStep

_EVAL_BATCH = 64
# Steps between two entries of the log.
_LOG_EVERY = 20


def count_steps(config: TrainConfig, prepared: Prepared) -> int:
    """Steps of a whole run; the last one of an epoch may be smaller."""
    return -(-len(prepared.train) // config.batch_size) * config.epochs


class Session:
    """The state of a training run between its steps; see `fit`.

    Args:
        config: `TrainConfig`.
        model: task model without a preprocessor.
        prepared: `Prepared`.
        run_dir: folder of the run.
        strategy: `tf.distribute` strategy or None for one device.
        is_chief: bool, whether this process writes files.
        stop: `StopRequest`.
        say: receives lines.
        verbose: int, see `Progress`.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: Any,
        prepared: Prepared,
        run_dir: pathlib.Path,
        *,
        strategy: Any,
        is_chief: bool,
        stop: StopRequest,
        say: Callable[[str], None],
        verbose: int,
    ) -> None:
        self.config = config
        self.model = model
        self.prepared = prepared
        self.run_dir = run_dir
        self.strategy = strategy
        self.is_chief = is_chief
        self.stop = stop
        self.say = say
        self.total_steps = count_steps(config, prepared)
        self.steps_per_epoch = self.total_steps // config.epochs
        with scope_of(strategy):
            optimizer = make_optimizer(config, self.total_steps, model)
        half = config.precision == "mixed_float16"
        self.train_step = TrainStep(
            model,
            optimizer,
            clip_norm=config.clip_norm,
            strategy=strategy,
            jit_compile=config.jit_compile,
            skip_non_finite=half,
        )
        self.loss_scale = LossScale() if half else None
        self.store = CheckpointStore(
            run_dir / CHECKPOINTS, keep=config.keep_checkpoints
        )
        has_gate = config.gate_used is not None
        self.gate_probe = GateProbe(model, prepared) if has_gate else None
        self.progress = Progress(
            self.total_steps, say, verbose if is_chief else 0
        )
        self.step = 0
        self.choice = DevChoice()
        self.window = Window()
        self.stopwatch = Stopwatch()
        self._saved_at = time.monotonic()

    def restore(self) -> None:
        """Goes back to the newest checkpoint, or to the start."""
        loaded = self.store.load(self.say, set_aside=self.is_chief)
        position = 0
        if loaded is not None:
            arrays, meta, best = loaded
            found = self.prepared.fingerprint()
            if meta["data"] != found:
                raise ValueError(
                    f"The checkpoint in {str(self.store.folder)!r} was "
                    "trained on other data. Received: token arrays with hash "
                    f"{found[:12]}. Accepted: {meta['data'][:12]}."
                )
            self.train_step.set_state(arrays)
            self.step = meta["step"]
            self.choice = DevChoice(**meta["choice"], weights=best)
            self.window = Window(**meta["window"])
            if self.loss_scale is not None:
                self.loss_scale = LossScale(**meta["loss_scale"])
            position = meta["log_position"]
            self.say(f"going on after step {self.step} of {self.total_steps}")
        check_same_step(self.strategy, self.step)
        self.log = RunLog(self.run_dir if self.is_chief else None, position)
        lost = position - self.log.position
        if self.is_chief and lost:
            self.say(
                f"{METRICS} lacks {lost} of the {position} bytes that it had "
                "at the checkpoint; entries before it are lost"
            )

    def save(self) -> None:
        """Saves a checkpoint of the state after the last step."""
        self._saved_at = time.monotonic()
        if not self.is_chief:
            return
        scale = self.loss_scale
        best = self.choice.weights
        # A checkpoint on the disk must not refer to a log that is not there.
        self.log.sync()
        self.store.save(
            self.step,
            self.train_step.state(),
            {
                "data": self.prepared.fingerprint(),
                "choice": self.choice.to_json(),
                "window": dataclasses.asdict(self.window),
                "loss_scale": scale and dataclasses.asdict(scale),
                "log_position": self.log.position,
            },
            (self.choice.best_step, best) if best else None,
        )

    def train(self) -> None:
        """Takes the steps that are left."""
        config, prepared = self.config, self.prepared
        dataset, _ = train_dataset(
            prepared.train,
            batch_size=config.batch_size,
            seed=config.seed,
            epochs=config.epochs,
            pad_id=prepared.pad_id,
            use_segment_ids=prepared.use_segment_ids,
            start_step=self.step,
            max_width=self.model.backbone.max_positions,
        )
        replicas = self.train_step.replicas
        shared = f" over {replicas} replicas" if replicas > 1 else ""
        self.say(
            f"training {config.system}: {len(prepared.train)} rows, "
            f"{self.total_steps} steps of {config.batch_size}{shared} (the "
            "first step compiles and takes longest)"
        )
        try:
            for features, labels in dataset:
                asked = self._take(features, labels)
                self._after_step(asked)
        finally:
            self.log.close()

    def _take(self, features: Any, labels: Any) -> bool:
        """Takes a step; returns whether a worker asked to stop."""
        traces = self.train_step.traces
        scale = 1.0 if self.loss_scale is None else self.loss_scale.value
        self.stopwatch.start()
        try:
            values = self.train_step(
                features, labels, loss_scale=scale, stop=self.stop.asked
            )
        except Exception as error:
            lost = lost_worker(self.strategy, error)
            if lost is not None:
                raise lost from error
            raise
        seconds = self.stopwatch.stop()
        self.step += 1
        self._check_finite(values)
        tokens = self.window.add(
            values.loss,
            values.gradient_norm,
            values.gradient_norm > self.config.clip_norm,
            np.asarray(features["padding_mask"]),
        )
        if self.train_step.traces == traces:
            self.stopwatch.add(seconds, tokens)
        return values.stop

    def _after_step(self, asked: bool) -> None:
        """Does what is due: the log, the dev score, a checkpoint."""
        last = self.step == self.total_steps
        entry = {**self.window.entry(), **self.stopwatch.entry()}
        self.progress.show(self.step, entry)
        if self.step % _LOG_EVERY == 0 or last or self.step == 1:
            self._log_window(entry)
        every = self.config.dev_every or self.steps_per_epoch
        if self.step % every == 0 or last:
            self._score()
        if last:
            return
        waited = time.monotonic() - self._saved_at
        if asked or waited >= 60 * self.config.checkpoint_minutes:
            self.save()
        if asked:
            self.stop.asked = True
            self.stop.check(f"Step {self.step} is saved.")

    def _check_finite(self, values: StepValues) -> None:
        """Stops a run whose weights would be spoilt by now."""
        loss_is_finite = math.isfinite(values.loss)
        finite = loss_is_finite and math.isfinite(values.gradient_norm)
        if self.loss_scale is not None:
            self.loss_scale.update(finite)
            finite = loss_is_finite and not self.loss_scale.exhausted
        if finite:
            return
        epoch, place = divmod(self.step - 1, self.steps_per_epoch)
        batches = epoch_batches(
            self.prepared.train.row_lengths,
            self.config.batch_size,
            self.config.seed,
            epoch,
        )
        raise NonFiniteTraining(
            f"Training broke down at step {self.step}: loss {values.loss}, "
            f"gradient norm {values.gradient_norm}. Rows of the training "
            f"arrays in this batch: {batches[place].tolist()}. Checkpoints "
            "are from before it. A lower learning rate, a warm-up or float32 "
            "may help."
        )

    def _log_window(self, entry: dict[str, Any]) -> None:
        schedule = self.train_step.optimizer.learning_rate
        self.log.write(
            {
                "step": self.step,
                "epoch": self.step / self.steps_per_epoch,
                "learning_rate": float(keras.ops.convert_to_numpy(schedule)),
                **entry,
            }
        )
        self.window = Window()
        self.stopwatch.reset()

    def _score(self) -> None:
        score = score_dev(
            self.config, self.model, self.prepared, self.train_step.forward
        )
        name = self.config.task_definition.score
        self.say(f"  step {self.step}: English dev {name} {score:.2f}")
        entry = self.choice.add(self.step, score, self.model.get_weights)
        self.log.write(entry)
        if self.gate_probe is not None:
            self.log.write({"step": self.step, "gate": self.gate_probe()})


def score_dev(
    config: TrainConfig,
    model: Any,
    prepared: Prepared,
    forward: Callable[[dict[str, Any]], Any] | None = None,
) -> float:
    """Headline score on English dev of the weights as they are, in percent."""
    task = config.task_definition
    logits = predict_logits(
        model,
        prepared.dev,
        batch_size=_EVAL_BATCH,
        pad_id=prepared.pad_id,
        use_segment_ids=prepared.use_segment_ids,
        forward=forward,
    )
    predicted = label_names(logits, prepared.dev, task.labels)
    return score_labels(task, prepared.dev_gold, predicted)["score"]
