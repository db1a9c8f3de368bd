"""Fine-tuning on labelled examples; weights are chosen by the dev score."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import numpy as np

from dlfa_tf.data import pipelines
from dlfa_tf.runs import names
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring import predict
from dlfa_tf.scoring import score
from dlfa_tf.scoring.zero_shot import EVAL_BATCH
from dlfa_tf.training.gate_statistics import GateProbe
from dlfa_tf.training.objective import Forward
from dlfa_tf.training.preparing import Prepared


class FineTuning:
    """The objective of a run on a task; see `Objective`.

    Args:
        config: `TrainConfig`.
        model: task model without a preprocessor, over the token ids of
            `prepared`.
        prepared: `Prepared`.
    """

    def __init__(
        self, config: TrainConfig, model: Any, prepared: Prepared
    ) -> None:
        self.config = config
        self.model = model
        self.prepared = prepared
        rows = len(prepared.train)
        self.title = f"{config.system}: {rows} rows"
        sources = names.in_words(config.source_languages)
        self.score_title = f"dev ({sources}) {config.task_definition.score}"
        # The last step of an epoch may be smaller.
        self.steps_per_epoch = -(-rows // config.batch_size)
        self.total_steps = self.steps_per_epoch * config.epochs
        self.batch_size = config.batch_size
        has_gate = config.gate_used is not None
        self._gate_probe = GateProbe(model, prepared) if has_gate else None

    def batches(
        self, start_step: int
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Batches of rows of similar length, all rows once an epoch."""
        return pipelines.train_batches(
            self.prepared.train,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epochs=self.config.epochs,
            pad_id=self.prepared.pad_id,
            use_segment_ids=self.prepared.use_segment_ids,
            start_step=start_step,
            max_width=self.model.backbone.max_positions,
        )

    def rows_of_step(self, number: int) -> list[int]:
        """Rows of the training arrays in the batch of a step."""
        epoch, place = divmod(number - 1, self.steps_per_epoch)
        batches = pipelines.epoch_batches(
            self.prepared.train.row_lengths,
            self.config.batch_size,
            self.config.seed,
            epoch,
        )
        return batches[place].tolist()

    def fingerprint(self) -> str:
        """Hash of the arrays."""
        return self.prepared.fingerprint()

    def score(self, forward: Forward) -> float:
        """Headline score on dev, in percent."""
        return score_dev(self.config, self.model, self.prepared, forward)

    def log_entries(self) -> list[dict[str, Any]]:
        """What the gate does, where there is one."""
        return [{"gate": self._gate_probe()}] if self._gate_probe else []

    def facts(self) -> dict[str, Any]:
        """Sizes of the training data."""
        return {
            "train_examples": self.prepared.train_examples,
            "train_rows": len(self.prepared.train),
            "train_tokens": len(self.prepared.train.token_ids),
        }


def score_dev(
    config: TrainConfig,
    model: Any,
    prepared: Prepared,
    forward: Callable[[dict[str, Any]], Any] | None = None,
) -> float:
    """Headline score on dev of the weights as they are, in percent."""
    task = config.task_definition
    logits = predict.predict_logits(
        model,
        prepared.dev,
        batch_size=EVAL_BATCH,
        pad_id=prepared.pad_id,
        use_segment_ids=prepared.use_segment_ids,
        forward=forward,
    )
    predicted = predict.label_names(logits, prepared.dev, task.labels)
    return score.score_labels(task, prepared.dev_gold, predicted)["score"]
