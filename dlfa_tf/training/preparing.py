"""From a config to the token arrays that training runs on."""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlfa_tf.data import cache
from dlfa_tf.data import compact_vocabulary
from dlfa_tf.data import sources
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.sources import Examples
from dlfa_tf.data.sources import Source
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring import score
from dlfa_tf.scoring import zero_shot

_SUBSET_SEED = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunData:
    """Everything that is read before training.

    `train` and `dev` are of the source languages, one after the other;
    `files` is from language to split, what to evaluate on. `few_shot` is from
    target language to what `train` has of it at its end: `split`, and `rows`,
    numbers of the examples in that file, counted from 1.
    """

    source: Source
    files: dict[str, str]
    train: Examples
    dev: Examples
    few_shot: dict[str, dict[str, Any]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """What training needs besides the config and the model.

    `dev` is of the source languages and `dev_gold` its labels, see
    `gold_labels`; `train_examples` says how many examples `train` was made of.
    With a compact vocabulary `used_ids`, int32 `(used,)`, are the ids of the
    full one that ids 0, 1, ... of the arrays stand for; else None.
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
    """Reads train and dev of the source languages, and few-shot examples.

    Of the other files it only checks that they are there.
    """
    task = config.task_definition
    source = Source(
        task=task, name=config.data_source, data_dir=config.data_dir
    )
    files = zero_shot.choose_files(source, config.languages, config.eval_split)
    for language in (*config.source_languages, *config.target_counts):
        sources.check_language(language, source)
    train = _load(source, "train", config.source_languages)
    if config.train_limit is not None and config.train_limit < len(train):
        # Shuffled first: files are often ordered by origin. The same for
        # every seed of a run, which then differ in training alone.
        random = np.random.default_rng(_SUBSET_SEED)
        chosen = random.permutation(len(train))[: config.train_limit]
        train = [train[i] for i in chosen]
    dev = _load(source, "dev", config.source_languages, config.eval_limit)
    few_shot = {}
    for language, count in config.target_counts.items():
        few_shot[language], found = _few(source, language, count, files)
        train = [*train, *found]
    return RunData(
        source=source, files=files, train=train, dev=dev, few_shot=few_shot
    )


def _load(
    source: Source,
    split: str,
    languages: Sequence[str],
    limit: int | None = None,
) -> Any:
    """Examples of several languages, at most `limit` of each."""
    return [
        example
        for language in languages
        for example in source.load(split, language, limit)
    ]


def _few(
    source: Source, language: str, count: int, files: dict[str, str]
) -> tuple[dict[str, Any], list[Any]]:
    """Some labelled examples of a target language, and which they are.

    They come from its train file or, where there is none, from dev.
    """
    there = [x for x in ("train", "dev") if language in source.available(x)]
    if not there or there[0] == files.get(language):
        raise FileNotFoundError(
            f"`target_examples` of {language!r} are not there: no train file "
            f"in {str(source.folder)!r}, and dev "
            + ("is scored." if there else "neither.")
            + " Accepted: languages with a train file, or with a dev file "
            "that is not evaluated on."
        )
    found = source.load(there[0], language)
    if count > len(found):
        raise ValueError(
            f"`target_examples` asks for more than the {there[0]} file of "
            f"{language!r} has. Received: {count}. Accepted: up to "
            f"{len(found)}."
        )
    # As for `train_limit`: the same for every seed of a run.
    random = np.random.default_rng(_SUBSET_SEED)
    rows = sorted(random.permutation(len(found))[:count].tolist())
    said = {"split": there[0], "rows": [row + 1 for row in rows]}
    return said, [found[row] for row in rows]


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
