"""What an adaptation trains: rows of pieces, the model, the objective."""

import dataclasses
import pathlib
from typing import Any

import numpy as np

from dlfa_tf import files
from dlfa_tf.adapting import masked_lm
from dlfa_tf.adapting import masked_word_training
from dlfa_tf.adapting import masking
from dlfa_tf.adapting import packing
from dlfa_tf.adapting import texts
from dlfa_tf.adapting.masked_lm import MaskedLM
from dlfa_tf.adapting.masked_word_training import MaskedWordTraining
from dlfa_tf.adapting.masked_word_training import PackedText
from dlfa_tf.adapting.masking import Masking
from dlfa_tf.adapting.settings import AdaptConfig
from dlfa_tf.data import compact_vocabulary
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.models import compact_model
from dlfa_tf.models import presets
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.preprocessing import piece_tokenizer
from dlfa_tf.preprocessing.piece_tokenizer import PieceTokenizer
from dlfa_tf.training import distribution
from dlfa_tf.types import Say


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows:
    """Text as rows of pieces, over the full vocabulary of `tokenizer`.

    `train.labels` and `held_back.labels` are places in `languages`.
    """

    tokenizer: Any
    pieces: PieceTokenizer
    languages: list[str]
    train: TokenArrays
    held_back: TokenArrays

    @property
    def mask_id(self) -> int:
        """Id of the piece that stands for a hidden one.

        ValueError for a vocabulary without one.
        """
        mask_id = getattr(self.tokenizer, "mask_token_id", None)
        if mask_id is None:
            raise ValueError(
                "`preset` has a vocabulary without a mask piece. Received: "
                f"{type(self.tokenizer).__name__}. Accepted: BERT, DistilBERT, "
                "XLM-R and the like."
            )
        return int(mask_id)


def read_rows(
    config: AdaptConfig,
    found: dict[str, list[pathlib.Path]],
    say: Say = lambda _: None,
) -> Rows:
    """Reads texts into rows to train on and rows held back.

    Args:
        config: `AdaptConfig`.
        found: from language to its files, as `texts.find_texts` gives them.
        say: receives a line for every language.

    Returns:
        `Rows`.

    Raises:
        ValueError: for texts that cannot be read, or too few of them.
    """
    tokenizer = presets.load_tokenizer(config.preset)
    pieces = piece_tokenizer.build_piece_tokenizer(tokenizer)
    packed = packing.pack_texts(
        {
            language: texts.read_texts(
                paths, text_column=config.text_column, limit=config.text_limit
            )
            for language, paths in found.items()
        },
        pieces,
        config.sequence_length,
    )
    left, held = masked_word_training.hold_back(packed, config.held_back)
    if not len(held):
        raise ValueError(
            "`texts` has too little text to keep a tenth of any language back "
            f"and measure on it. Received: {len(packed)} rows of "
            f"{config.sequence_length} pieces. Accepted: 10 rows or more of a "
            "language."
        )
    for i, language in enumerate(found):
        count = int((packed.labels == i).sum())
        measured = "" if (packed.labels[held] == i).any() else ", not measured"
        say(f"  {language}: {count} rows{measured}")
    return Rows(
        tokenizer=tokenizer,
        pieces=pieces,
        languages=list(found),
        train=masked_word_training.take_rows(packed, left),
        held_back=masked_word_training.take_rows(packed, held),
    )


def build(
    config: AdaptConfig, rows: Rows, strategy: Any = None
) -> tuple[MaskedLM, MaskedWordTraining, bool]:
    """Builds what is trained, over the embedding rows in use.

    Args:
        config: `AdaptConfig`.
        rows: `Rows`.
        strategy: `tf.distribute` strategy or None for one device.

    Returns:
        The model, its objective, and whether its head was trained before.

    Raises:
        ValueError: for a vocabulary without a mask piece, and as for
            `build_model`.
    """
    used, pad_id = None, rows.pieces.pad_id
    train, held = rows.train, rows.held_back
    with distribution.scope_of(None if config.compact_vocabulary else strategy):
        model, has_head = build_model(config)
    if config.compact_vocabulary:
        special = [*rows.pieces.special_ids, rows.mask_id]
        used = compact_vocabulary.used_token_ids(special, train, held)
        train = compact_vocabulary.compact_arrays(train, used)
        held = compact_vocabulary.compact_arrays(held, used)
        pad_id = int(np.searchsorted(used, pad_id))
        with distribution.scope_of(strategy):
            model = compact_model.compact_model(model, used)
    if config.frozen_embeddings:
        model.backbone.token_embedding.trainable = False
    text = PackedText(
        languages=rows.languages,
        train=train,
        held_back=held,
        pad_id=pad_id,
        use_segment_ids="segment_ids" in model.input,
        used_ids=used,
    )
    objective = MaskedWordTraining(
        config,
        text,
        _masking(config, rows, used),
        model.backbone.max_positions,
    )
    return model, objective, has_head


def build_model(config: AdaptConfig) -> tuple[MaskedLM, bool]:
    """Builds the model of a config over all pieces.

    Args:
        config: `AdaptConfig`.

    Returns:
        `MaskedLM`, and whether its head was trained before.

    Raises:
        ValueError: for a preset or a head that cannot be loaded.
        OSError: when a file of the preset cannot be read.
    """
    encoder = presets.load_encoder(config.preset, dtype=config.precision)
    model = MaskedLM(DLFABackbone(encoder))
    folder = files.user_path(config.preset, "preset")
    return model, masked_lm.load_head(model, folder)


def _masking(
    config: AdaptConfig, rows: Rows, used: np.ndarray | None
) -> Masking:
    """`Masking` over the ids in use."""
    mask_id = rows.mask_id
    never = np.array([*rows.pieces.special_ids, mask_id], np.int32)
    size = rows.tokenizer.vocabulary_size()
    continues = None
    if config.whole_words:
        continues = masking.continuing_pieces(rows.tokenizer)
    if used is not None:
        never = np.searchsorted(used, never).astype(np.int32)
        mask_id, size = int(np.searchsorted(used, mask_id)), len(used)
        continues = None if continues is None else continues[used]
    return Masking(
        mask_id=mask_id,
        never=never,
        vocabulary_size=size,
        rate=config.mask_rate,
        continues=continues,
    )
