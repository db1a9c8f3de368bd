"""Everything that runs of one task need, in one file that travels.

A bundle holds the token arrays of train, dev and of every file to evaluate
on, with their labels; the encoder with the embedding rows that these touch;
and the settings that decided all of it. Runs on it need neither the data nor
the preset nor TensorFlow.
"""

import dataclasses
import os
from typing import Any

import numpy as np

from dlfa_tf.data import cache
from dlfa_tf.data import compact_vocabulary
from dlfa_tf.data import packed_arrays
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.models import presets
from dlfa_tf.models.presets import packed_encoder
from dlfa_tf.runs import load
from dlfa_tf.runs import names
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring import score
from dlfa_tf.training import bundle_file
from dlfa_tf.training import preparing
from dlfa_tf.training.bundle_settings import BUNDLE_SETTINGS
from dlfa_tf.training.preparing import Prepared
from dlfa_tf.types import Say


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle in memory.

    Attributes:
        meta: plain values: `settings`, `labels`, `files` (from language to
            split), `known_languages`, `train_examples`, `training_rows`
            (embedding rows that train and dev touch; they come first),
            `pad_id`, `use_segment_ids`, `label_piece`, `preset_source`, and
            what `pack_encoder` says of the encoder.
        arrays: token arrays by `{split}-{language}`.
        vocabulary: int32 `(rows,)`, the preset's token id of every row.
        weights: arrays of the packed encoder.
        sha256: str, hash of the content.
    """

    meta: dict[str, Any]
    arrays: dict[str, TokenArrays]
    vocabulary: np.ndarray
    weights: dict[str, np.ndarray]
    sha256: str

    def encoder(self, dtype: Any = None) -> Any:
        """Builds the encoder; token id i stands for `vocabulary[i]`."""
        return packed_encoder.unpack_encoder(
            self.meta["packed"], self.weights, dtype
        )

    def prepared(self, config: TrainConfig) -> Prepared:
        """What training needs, as `prepare` makes it of the data."""
        labels = tuple(self.meta["labels"])
        sources = names.in_words(config.source_languages)
        dev = self.arrays[f"dev-{sources}"]
        used = None
        if config.compact_vocabulary:
            used = np.arange(self.meta["training_rows"], dtype=np.int32)
        return Prepared(
            train=self.arrays[f"train-{sources}"],
            dev=dev,
            dev_gold=packed_arrays.gold_names(dev, labels),
            train_examples=self.meta["train_examples"],
            pad_id=self.meta["pad_id"],
            use_segment_ids=self.meta["use_segment_ids"],
            used_ids=used,
        )


def make_bundle(
    config: TrainConfig,
    path: str | os.PathLike[str],
    weights: str = "auto",
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Makes the bundle of a task; needs TensorFlow.

    Args:
        config: `TrainConfig`, of which `BUNDLE_SETTINGS` count.
        path: file to write; must not exist.
        weights: format of the encoder's weights, see `pack_encoder`.
        say: receives one-line messages.

    Returns:
        The plain values of the bundle, with its hash as `sha256`.

    Raises:
        ValueError, FileNotFoundError: for settings or data that do not fit.
        FileExistsError: when the file exists.
    """
    bundle_file.check_new(path)
    presets.check_preset_length(config.preset, config.sequence_length)
    data = preparing.read_data(config)
    model = load.build_model(config)
    preprocessor = model.preprocessor
    pieces = preprocessor.pieces
    say("tokenising train and dev")
    sources = names.in_words(config.source_languages)
    full = {
        f"train-{sources}": cache.cached_tokens(data.train, preprocessor),
        f"dev-{sources}": cache.cached_tokens(data.dev, preprocessor),
    }
    first = compact_vocabulary.used_token_ids(
        pieces.special_ids, *full.values()
    )
    for language, split in data.files.items():
        name = f"{split}-{language}"
        if name in full:
            continue
        say(f"tokenising {name}")
        examples = data.source.load(split, language, config.eval_limit)
        full[name] = cache.cached_tokens(examples, preprocessor)
        gold = score.gold_labels(data.source.task, examples)
        _check_gold(name, full[name], gold, data.source.task.labels)
    every = compact_vocabulary.used_token_ids(
        pieces.special_ids, *full.values()
    )
    vocabulary = np.concatenate([first, np.setdiff1d(every, first)])
    say(f"packing the encoder with {len(vocabulary)} embedding rows")
    packed, packed_weights = packed_encoder.pack_encoder(
        model.backbone.encoder, vocabulary, weights
    )
    place = np.full(int(vocabulary.max()) + 1, -1, np.int32)
    place[vocabulary] = np.arange(len(vocabulary))
    stored = {"vocabulary": vocabulary.astype(np.int32), **packed_weights}
    for name, arrays in full.items():
        renumbered = dataclasses.replace(
            arrays, token_ids=place[arrays.token_ids]
        )
        for part, value in packed_arrays.pack_arrays(renumbered).items():
            stored[f"tokens/{name}/{part}"] = value
    settings = config.to_json()
    meta = {
        "settings": {name: settings[name] for name in BUNDLE_SETTINGS},
        "labels": list(data.source.task.labels),
        "files": data.files,
        "known_languages": list(data.source.languages),
        "train_examples": len(data.train),
        **({"few_shot": data.few_shot} if data.few_shot else {}),
        "training_rows": len(first),
        "pad_id": int(place[pieces.pad_id]),
        "use_segment_ids": preprocessor.use_segment_ids,
        "label_piece": getattr(preprocessor, "resolved_label_piece", None),
        "preset_source": presets.preset_source(config.preset),
        "packed": packed,
    }
    return {**meta, "sha256": bundle_file.write_bundle_file(path, meta, stored)}


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Reads a bundle; needs no TensorFlow.

    Raises:
        FileNotFoundError, ValueError: see `read_bundle_file`.
    """
    sha256, meta, stored = bundle_file.read_bundle_file(path)
    tokens: dict[str, dict[str, np.ndarray]] = {}
    weights = {}
    for name, value in stored.items():
        kind, _, rest = name.partition("/")
        if kind == "tokens":
            file, _, part = rest.partition("/")
            tokens.setdefault(file, {})[part] = value
        elif kind == "weights":
            weights[name] = value
    return Bundle(
        meta=meta,
        arrays={
            name: packed_arrays.unpack_arrays(parts)
            for name, parts in tokens.items()
        },
        vocabulary=stored["vocabulary"],
        weights=weights,
        sha256=sha256,
    )


def _check_gold(
    name: str, arrays: TokenArrays, gold: list, labels: tuple[str, ...]
) -> None:
    """Makes sure that the arrays score as the examples do."""
    if packed_arrays.gold_names(arrays, labels) != gold:
        raise ValueError(
            f"The token arrays of {name} do not give back the labels of the "
            "examples; this is an error in this package."
        )
