"""Training on Keras' JAX backend, with no TensorFlow installed."""

import math
import pathlib
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import numpy as np

from dlfa_tf.data.pipelines import epoch_batches
from dlfa_tf.data.pipelines import pad_batch
from dlfa_tf.files import append_json_line
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring.predict import label_names
from dlfa_tf.scoring.predict import predict_logits
from dlfa_tf.scoring.score import score_labels
from dlfa_tf.training.dev_choice import DevChoice
from dlfa_tf.training.interruption import NonFiniteTraining
from dlfa_tf.training.jax_step import JaxStep
from dlfa_tf.training.jax_step import compiled_forward
from dlfa_tf.training.optimizers import make_optimizer
from dlfa_tf.training.prepared import Prepared

_EVAL_BATCH = 64
# Steps between two entries of the log. Only there the loss is waited for: a
# GPU works on while the next batches are made.
_LOG_EVERY = 20


def fit_on_jax(
    config: TrainConfig,
    model: Any,
    prepared: Prepared,
    run_dir: pathlib.Path,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Does what `fit` does, on one device: the same batches, loss and choice.

    A run that was interrupted starts anew; there are no checkpoints here.

    Args:
        config: `TrainConfig`.
        model: task model without a preprocessor, over the token ids of
            `prepared`.
        prepared: `Prepared`.
        run_dir: folder to write `metrics.jsonl` into.
        say: receives one-line messages about what is going on.

    Returns:
        What `results.json` says of training.

    Raises:
        NonFiniteTraining: when loss or gradient is NaN or infinite; names the
            steps.
        ValueError: see `JaxStep`.
    """
    return _Run(config, model, prepared, run_dir, say).fit()


class _Run:
    """State of a run between its steps."""

    def __init__(
        self,
        config: TrainConfig,
        model: Any,
        prepared: Prepared,
        run_dir: pathlib.Path,
        say: Callable[[str], None],
    ) -> None:
        self.config = config
        self.model = model
        self.prepared = prepared
        self.metrics = run_dir / "metrics.jsonl"
        self.say = say
        rows = len(prepared.train)
        self.steps_per_epoch = -(-rows // config.batch_size)
        self.total = self.steps_per_epoch * config.epochs
        optimizer = make_optimizer(config, self.total, model)
        self.step = JaxStep(model, optimizer, config.clip_norm)
        self.forward = compiled_forward(model, _EVAL_BATCH)
        self.choice = DevChoice()

    def fit(self) -> dict[str, Any]:
        config, prepared = self.config, self.prepared
        self.say(
            f"training {config.system} on JAX: {len(prepared.train)} rows, "
            f"{self.total} steps of {config.batch_size} (a new length of rows "
            "compiles first, which takes longest)"
        )
        every = config.dev_every or self.steps_per_epoch
        pending: list[tuple[Any, Any]] = []
        tokens, began = 0, time.monotonic()
        for number, (features, labels) in enumerate(self._batches(), start=1):
            tokens += int(features["padding_mask"].sum())
            pending.append(self.step(features, labels))
            last = number == self.total
            if number % _LOG_EVERY == 0 or last or number == 1:
                self._log(number, pending, tokens, began)
                pending, tokens, began = [], 0, time.monotonic()
            if number % every == 0 or last:
                self._score(number)
        self.model.set_weights(self.choice.weights)
        return {
            "train_examples": prepared.train_examples,
            "train_rows": len(prepared.train),
            "train_tokens": len(prepared.train.token_ids),
            "best_step": self.choice.best_step,
            "total_steps": self.total,
            "dev_score": self.choice.best_score,
            "dev_history": self.choice.history,
        }

    def _batches(self) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        arrays = self.prepared.train
        for epoch in range(self.config.epochs):
            for rows in epoch_batches(
                arrays.row_lengths,
                self.config.batch_size,
                self.config.seed,
                epoch,
            ):
                yield pad_batch(
                    arrays,
                    rows,
                    self.prepared.pad_id,
                    self.prepared.use_segment_ids,
                    self.model.backbone.max_positions,
                )

    def _log(
        self,
        number: int,
        pending: list[tuple[Any, Any]],
        tokens: int,
        began: float,
    ) -> None:
        losses, norms = (
            [float(x) for x in values] for values in zip(*pending, strict=True)
        )
        for i, value in enumerate(zip(losses, norms, strict=True)):
            if not all(map(math.isfinite, value)):
                raise NonFiniteTraining(
                    "Training broke down at step "
                    f"{number - len(losses) + i + 1}: loss {value[0]}, "
                    f"gradient norm {value[1]}. A lower learning rate may help."
                )
        seconds = time.monotonic() - began
        optimizer = self.step.optimizer
        schedule = optimizer._learning_rate
        append_json_line(
            self.metrics,
            {
                "step": number,
                "epoch": number / self.steps_per_epoch,
                "loss": sum(losses) / len(losses),
                "gradient_norm": sum(norms) / len(norms),
                "learning_rate": float(schedule(number - 1)),
                "timing": {
                    "step_seconds": round(seconds / len(losses), 4),
                    "tokens_per_second": round(tokens / seconds, 1),
                },
            },
        )

    def _score(self, number: int) -> None:
        """Scores English dev; keeps the weights when they are the best."""
        self.step.sync()
        task, dev = self.config.task_definition, self.prepared.dev
        logits = predict_logits(
            self.model,
            dev,
            batch_size=_EVAL_BATCH,
            pad_id=self.prepared.pad_id,
            use_segment_ids=self.prepared.use_segment_ids,
            forward=self.forward,
        )
        predicted = label_names(logits, dev, task.labels)
        value = score_labels(task, self.prepared.dev_gold, predicted)["score"]
        self.say(f"  English dev {task.score} {value:.2f} (step {number})")
        entry = self.choice.add(number, value, self.model.get_weights)
        append_json_line(self.metrics, entry)
