"""From a config to the token arrays that training runs on."""

import dataclasses
import hashlib
from typing import Any

import numpy as np

from dlfa_tf.data import cache
from dlfa_tf.data import compact_vocabulary
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.sources import Examples
from dlfa_tf.data.sources import Source
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring import score
from dlfa_tf.scoring import zero_shot

_SOURCE_LANGUAGE = "en"
_SUBSET_SEED = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunData:
    """Everything that is read before training.

    `train` and `dev` are English; `files` is from language to split, what to
    evaluate on.
    """

    source: Source
    files: dict[str, str]
    train: Examples
    dev: Examples


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """What training needs besides the config and the model.

    `dev` is English and `dev_gold` its labels, see `gold_labels`;
    `train_examples` says how many examples `train` was made of. With a compact
    vocabulary `used_ids`, int32 `(used,)`, are the ids of the full one that ids
    0, 1, ... of the arrays stand for; else None.
    """

    train: TokenArrays
    dev: TokenArrays
    dev_gold: list[Any]
    train_examples: int
    pad_id: int
    use_segment_ids: bool
    used_ids: np.ndarray | None = None

    def fingerprint(self) -> str:
        """Hash of the arrays: equal only if training sees the same data."""
        digest = hashlib.sha256()
        for part in (self.train, self.dev):
            for array in (part.token_ids, part.row_splits, part.labels):
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def read_data(config: TrainConfig) -> RunData:
    """Reads English train and dev; checks that the other files are there."""
    task = config.task_definition
    source = Source(
        task=task, name=config.data_source, data_dir=config.data_dir
    )
    files = zero_shot.choose_files(source, config.languages, config.eval_split)
    train = source.load("train", _SOURCE_LANGUAGE)
    if config.train_limit is not None and config.train_limit < len(train):
        # Shuffled first: files are often ordered by origin. The same for
        # every seed of a run, which then differ in training alone.
        random = np.random.default_rng(_SUBSET_SEED)
        chosen = random.permutation(len(train))[: config.train_limit]
        train = [train[i] for i in chosen]
    dev = source.load("dev", _SOURCE_LANGUAGE, config.eval_limit)
    return RunData(source=source, files=files, train=train, dev=dev)


def prepare(config: TrainConfig, data: RunData, preprocessor: Any) -> Prepared:
    """Tokenises what was read, and renumbers it for a compact vocabulary."""
    train = cache.cached_tokens(data.train, preprocessor)
    dev = cache.cached_tokens(data.dev, preprocessor)
    pieces = preprocessor.pieces
    pad_id, used = pieces.pad_id, None
    if config.compact_vocabulary:
        used = compact_vocabulary.used_token_ids(pieces.special_ids, train, dev)
        train = compact_vocabulary.compact_arrays(train, used)
        dev = compact_vocabulary.compact_arrays(dev, used)
        pad_id = int(np.searchsorted(used, pieces.pad_id))
    return Prepared(
        train=train,
        dev=dev,
        dev_gold=score.gold_labels(data.source.task, data.dev),
        train_examples=len(data.train),
        pad_id=pad_id,
        use_segment_ids=preprocessor.use_segment_ids,
        used_ids=used,
    )
