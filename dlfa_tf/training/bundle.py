"""Everything that runs of one task need, in one file that travels.

A bundle holds the token arrays of train, dev and of every file to evaluate
on, with their labels; the encoder with the embedding rows that these touch;
and the settings that decided all of it. Runs on it need neither the data nor
the preset nor TensorFlow.
"""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.cache import cached_tokens
from dlfa_tf.data.packed_arrays import gold_names
from dlfa_tf.data.packed_arrays import pack_arrays
from dlfa_tf.data.packed_arrays import unpack_arrays
from dlfa_tf.evaluation.score import gold_labels
from dlfa_tf.models.packed_encoder import pack_encoder
from dlfa_tf.models.packed_encoder import unpack_encoder
from dlfa_tf.models.presets import check_preset_length
from dlfa_tf.models.presets import preset_source
from dlfa_tf.training.bundle_file import check_new
from dlfa_tf.training.bundle_file import read_bundle_file
from dlfa_tf.training.bundle_file import write_bundle_file
from dlfa_tf.training.bundle_settings import BUNDLE_SETTINGS
from dlfa_tf.training.compact_vocabulary import used_token_ids
from dlfa_tf.training.config import TrainConfig
from dlfa_tf.training.model_files import build_model
from dlfa_tf.training.prepared import Prepared
from dlfa_tf.training.prepared import read_data


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
        return unpack_encoder(self.meta["packed"], self.weights, dtype)

    def prepared(self, config: TrainConfig) -> Prepared:
        """What training needs, as `prepare` makes it of the data."""
        labels = tuple(self.meta["labels"])
        dev = self.arrays["dev-en"]
        used = None
        if config.compact_vocabulary:
            used = np.arange(self.meta["training_rows"], dtype=np.int32)
        return Prepared(
            train=self.arrays["train-en"],
            dev=dev,
            dev_gold=gold_names(dev, labels),
            train_examples=self.meta["train_examples"],
            pad_id=self.meta["pad_id"],
            use_segment_ids=self.meta["use_segment_ids"],
            used_ids=used,
        )


def make_bundle(
    config: TrainConfig,
    path: str | os.PathLike[str],
    weights: str = "auto",
    say: Callable[[str], None] = lambda _: None,
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
    check_new(path)
    check_preset_length(config.preset, config.sequence_length)
    data = read_data(config)
    model = build_model(config)
    preprocessor = model.preprocessor
    pieces = preprocessor.pieces
    say("tokenising train and dev")
    full = {
        "train-en": cached_tokens(data.train, preprocessor),
        "dev-en": cached_tokens(data.dev, preprocessor),
    }
    first = used_token_ids(pieces.special_ids, *full.values())
    for language, split in data.files.items():
        name = f"{split}-{language}"
        if name in full:
            continue
        say(f"tokenising {name}")
        examples = data.source.load(split, language, config.eval_limit)
        full[name] = cached_tokens(examples, preprocessor)
        _check_gold(name, full[name], gold_labels(data.source.task, examples),
                    data.source.task.labels)  # fmt: skip
    every = used_token_ids(pieces.special_ids, *full.values())
    vocabulary = np.concatenate([first, np.setdiff1d(every, first)])
    say(f"packing the encoder with {len(vocabulary)} embedding rows")
    packed, packed_weights = pack_encoder(
        model.backbone.encoder, vocabulary, weights
    )
    place = np.full(int(vocabulary.max()) + 1, -1, np.int32)
    place[vocabulary] = np.arange(len(vocabulary))
    stored = {"vocabulary": vocabulary.astype(np.int32), **packed_weights}
    for name, arrays in full.items():
        renumbered = dataclasses.replace(
            arrays, token_ids=place[arrays.token_ids]
        )
        for part, value in pack_arrays(renumbered).items():
            stored[f"tokens/{name}/{part}"] = value
    settings = config.to_json()
    meta = {
        "settings": {name: settings[name] for name in BUNDLE_SETTINGS},
        "labels": list(data.source.task.labels),
        "files": data.files,
        "known_languages": list(data.source.languages),
        "train_examples": len(data.train),
        "training_rows": len(first),
        "pad_id": int(place[pieces.pad_id]),
        "use_segment_ids": preprocessor.use_segment_ids,
        "label_piece": getattr(preprocessor, "resolved_label_piece", None),
        "preset_source": preset_source(config.preset),
        "packed": packed,
    }
    return {**meta, "sha256": write_bundle_file(path, meta, stored)}


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Reads a bundle; needs no TensorFlow.

    Raises:
        FileNotFoundError, ValueError: see `read_bundle_file`.
    """
    sha256, meta, stored = read_bundle_file(path)
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
        arrays={name: unpack_arrays(parts) for name, parts in tokens.items()},
        vocabulary=stored["vocabulary"],
        weights=weights,
        sha256=sha256,
    )


def _check_gold(
    name: str, arrays: TokenArrays, gold: list, labels: tuple[str, ...]
) -> None:
    """Makes sure that the arrays score as the examples do."""
    if gold_names(arrays, labels) != gold:
        raise ValueError(
            f"The token arrays of {name} do not give back the labels of the "
            "examples; this is an error in this package."
        )
