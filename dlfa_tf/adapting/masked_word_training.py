"""Guessing hidden pieces: the objective of an adaptation."""

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from dlfa_tf.adapting import sampling
from dlfa_tf.adapting.masking import Masking
from dlfa_tf.adapting.settings import AdaptConfig
from dlfa_tf.data import pipelines
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL
from dlfa_tf.scoring.zero_shot import EVAL_BATCH
from dlfa_tf.training.objective import Forward

# Before the number of a step or of a batch of held-back text in its seed.
_TRAINING, _HELD_BACK = 2, 3
# Rows of held-back text whose logits are computed at once.
_ROWS_AT_ONCE = 16
# The share of a language's rows that is held back at most.
_LARGEST_SHARE = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedText:
    """Rows to train on and rows to measure on.

    `languages` are names; `train.labels` and `held_back.labels` places in it.
    With a compact vocabulary `used_ids`, int32 `(used,)`, are the ids of the
    full one that ids 0, 1, ... stand for; else None.
    """

    languages: list[str]
    train: TokenArrays
    held_back: TokenArrays
    pad_id: int
    use_segment_ids: bool
    used_ids: np.ndarray | None = None

    def fingerprint(self) -> str:
        """Hash of all rows."""
        digest = hashlib.sha256()
        for part in (self.train, self.held_back):
            for array in (part.token_ids, part.row_splits, part.labels):
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def hold_back(rows: TokenArrays, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Chooses the rows that are measured on, the same for every seed.

    Args:
        rows: `TokenArrays` whose `labels` are languages.
        most: int, rows per language; never more than a tenth of them.

    Returns:
        int64 indices of the rows to train on, and of those held back: none
        of a language with fewer than ten rows.
    """
    held = []
    for language in np.unique(rows.labels):
        own = np.flatnonzero(rows.labels == language)
        count = min(most, len(own) // _LARGEST_SHARE)
        random = np.random.default_rng(int(language))
        held.append(random.choice(own, size=count, replace=False))
    chosen = np.sort(np.concatenate(held))
    left = np.setdiff1d(np.arange(len(rows)), chosen)
    return left, chosen


def take_rows(arrays: TokenArrays, rows: np.ndarray) -> TokenArrays:
    """Some rows, in the order given."""
    lengths = arrays.row_lengths[rows]
    starts = arrays.row_splits[rows]
    splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    index = np.arange(splits[-1]) + np.repeat(starts - splits[:-1], lengths)
    return TokenArrays(
        token_ids=arrays.token_ids[index],
        segment_ids=arrays.segment_ids[index],
        row_splits=splits,
        labels=arrays.labels[rows],
    )


class MaskedWordTraining:
    """The objective of an adaptation; see `Objective`.

    Args:
        config: `AdaptConfig`.
        text: `PackedText`.
        masking: `Masking` over the ids of `text`.
        max_positions: int or None, pieces per row that the encoder takes.
    """

    score_title = "held-back text, pieces guessed right"

    def __init__(
        self,
        config: AdaptConfig,
        text: PackedText,
        masking: Masking,
        max_positions: int | None,
    ) -> None:
        self.config = config
        self.text = text
        self.masking = masking
        self.max_positions = max_positions
        self.batch_size = config.batch_size
        self.total_steps = config.steps
        rows = len(text.train)
        self.steps_per_epoch = -(-rows // config.batch_size)
        self.title = (
            f"on {rows} rows of {len(text.train.token_ids)} pieces in "
            f"{len(text.languages)} languages"
        )
        self._plan = sampling.draw_rows(
            text.train.labels,
            config.steps * config.batch_size,
            config.sampling_exponent,
            config.seed,
        )
        # Of the last score, by language.
        self.measured: dict[str, dict[str, float]] = {}

    def batches(
        self, start_step: int
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Batches with other pieces hidden every time."""
        for number in range(start_step, self.total_steps):
            features = self._features(
                self.text.train, np.array(self.rows_of_step(number + 1))
            )
            seed = [self.config.seed, _TRAINING, number]
            yield self.masking.hide(features, seed)

    def rows_of_step(self, number: int) -> list[int]:
        """Rows of the training text in the batch of a step."""
        start = (number - 1) * self.batch_size
        return self._plan[start : start + self.batch_size].tolist()

    def fingerprint(self) -> str:
        """Hash of all rows."""
        return self.text.fingerprint()

    def score(self, forward: Forward) -> float:
        """Share of right guesses in held-back text, mean over languages."""
        self.measured = self.measure(forward)
        shares = [entry["accuracy"] for entry in self.measured.values()]
        return float(np.mean(shares))

    def measure(self, forward: Forward) -> dict[str, dict[str, float]]:
        """Guesses pieces of the held-back text, the same ones every time.

        Args:
            forward: function from features to logits.

        Returns:
            From language to `accuracy` (percent of right guesses), `loss`
            (mean cross entropy, nats) and `pieces` (guesses).
        """
        held = self.text.held_back
        sums = {name: np.zeros(3) for name in self.text.languages}
        for start in range(0, len(held), EVAL_BATCH):
            rows = np.arange(start, min(start + EVAL_BATCH, len(held)))
            features, labels = self.masking.hide(
                self._features(held, rows), [_HELD_BACK, start]
            )
            for part in _parts(len(rows)):
                right, losses = _guesses(
                    forward({k: v[part] for k, v in features.items()}),
                    labels[part],
                )
                counts = (labels[part] != IGNORED_LABEL).sum(-1)
                for i, own in enumerate(rows[part]):
                    name = self.text.languages[held.labels[own]]
                    sums[name] += [right[i], losses[i], counts[i]]
        return {
            name: {
                "accuracy": 100 * right / pieces,
                "loss": loss / pieces,
                "pieces": int(pieces),
            }
            for name, (right, loss, pieces) in sums.items()
            if pieces
        }

    def log_entries(self) -> list[dict[str, Any]]:
        """The last score by language."""
        return [{"held_back": self.measured}]

    def facts(self) -> dict[str, Any]:
        """Sizes of the text."""
        train, held = self.text.train, self.text.held_back
        counts = np.bincount(train.labels, minlength=len(self.text.languages))
        return {
            "train_rows": len(train),
            "train_pieces": len(train.token_ids),
            "held_back_rows": len(held),
            "rows_by_language": dict(
                zip(self.text.languages, counts.tolist(), strict=True)
            ),
        }

    def _features(
        self, arrays: TokenArrays, rows: np.ndarray
    ) -> dict[str, np.ndarray]:
        features, _ = pipelines.pad_batch(
            arrays,
            rows,
            self.text.pad_id,
            self.text.use_segment_ids,
            self.max_positions,
        )
        return features


def _parts(rows: int) -> list[slice]:
    """Rows whose logits are computed at once: they are hundreds of MB."""
    # Under JAX all batches are filled up to as many rows.
    size = _ROWS_AT_ONCE if keras.backend.backend() != "jax" else EVAL_BATCH
    return [slice(at, at + size) for at in range(0, rows, size)]


def _guesses(
    logits: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Right guesses and summed cross entropy of every row.

    Logits are `(rows, guesses, ids)`, labels `(rows, guesses)`, -1 for none.
    """
    # Under JAX guesses are filled up as rows are.
    logits = np.asarray(logits)[:, : labels.shape[1]]
    is_guess = labels != IGNORED_LABEL
    own = np.where(is_guess, labels, 0)
    # By Keras, which is quicker at it than NumPy.
    shares = ops.take_along_axis(ops.softmax(logits), own[..., None], axis=-1)
    shares = ops.convert_to_numpy(shares)[..., 0].astype(np.float64)
    best = ops.convert_to_numpy(ops.argmax(logits, axis=-1))
    losses = -np.log(np.maximum(shares, np.finfo(np.float32).tiny))
    return (
        ((best == labels) & is_guess).sum(-1),
        np.where(is_guess, losses, 0).sum(-1),
    )
