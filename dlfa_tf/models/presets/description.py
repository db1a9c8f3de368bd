"""What a preset is, found by loading it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras_hub

from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models.presets import by_name
from dlfa_tf.models.sentence_vectors import POOLER_NAME

_LICENCES = ("LICEN[CS]E*", "licen[cs]e*", "COPYING*", "NOTICE*")
_KERAS_HUB = "keras-hub preset"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PresetDescription:
    """What a preset is.

    Attributes:
        preset: name, path or handle as it was given.
        source: where its weights come from, in one line.
        form: in whose form its files are.
        encoder: class of the encoder.
        blocks: number of blocks.
        width: numbers per position.
        heads: heads of the attention.
        positions: pieces per row; None for any number.
        activation: what the blocks compute with.
        pooler: whose the pooler is.
        parameters: number of weights.
        vocabulary_rows: rows of the token embedding.
        tokenizer: its class and number of pieces; None when it was refused.
        cased: whether text is taken as it is; None where it is not known.
        tokenizer_error: why raw text cannot be used with it, or None.
        files: from the names of local files to their bytes.
        licence: name of the licence file beside them, or None.
    """

    preset: str
    source: str
    form: str
    encoder: str
    blocks: int
    width: int
    heads: int
    positions: int | None
    activation: str
    pooler: str
    parameters: int
    vocabulary_rows: int
    tokenizer: str | None
    cased: bool | None
    tokenizer_error: str | None
    files: dict[str, int]
    licence: str | None


def describe_preset(preset: str) -> PresetDescription:
    """Loads the encoder and the tokenizer of a preset and describes them.

    That downloads a preset that lies elsewhere. A tokenizer that raw text
    cannot be split with is described too, with the reason.

    Args:
        preset: str. As for `load_encoder`.

    Returns:
        `PresetDescription`.

    Raises:
        ValueError: as `load_encoder`.
        FileNotFoundError: as `load_encoder`.
        ConnectionError: as `load_encoder`.
    """
    # Of the two, the tokenizer is read at once.
    tokenizer, error = _tokenizer(preset)
    encoder = by_name.load_encoder(preset)
    blocks = encoder_blocks.block_layers(encoder)
    checkpoint = by_name.local_checkpoint(preset)
    folder = checkpoint.folder if checkpoint else by_name.local_folder(preset)
    own_pooler = checkpoint_encoders.has_own_pooler(encoder, POOLER_NAME)
    return PresetDescription(
        preset=preset,
        source=by_name.preset_source(preset),
        form=checkpoint.form if checkpoint else _KERAS_HUB,
        encoder=type(encoder).__name__,
        blocks=len(blocks),
        width=blocks[-1].output.shape[-1],
        heads=blocks[0].num_heads,
        positions=encoder_blocks.max_positions(encoder),
        activation=checkpoint_encoders.activation_name(encoder),
        pooler="its own" if own_pooler else "none: a new one, random at first",
        parameters=encoder.count_params(),
        vocabulary_rows=encoder.token_embedding.input_dim,
        tokenizer=_describe_tokenizer(tokenizer),
        cased=_is_cased(tokenizer),
        tokenizer_error=error,
        files=_sizes(folder),
        licence=_licence(folder),
    )


def _tokenizer(
    preset: str,
) -> tuple[keras_hub.tokenizers.Tokenizer | None, str | None]:
    from dlfa_tf.preprocessing import piece_tokenizer

    tokenizer = None
    try:
        tokenizer = by_name.load_tokenizer(preset)
        piece_tokenizer.check_tokenizer(tokenizer)
    except ConnectionError:
        raise
    except (ValueError, TypeError, FileNotFoundError) as error:
        return tokenizer, str(error)
    return tokenizer, None


def _describe_tokenizer(tokenizer: Any) -> str | None:
    if tokenizer is None:
        return None
    return f"{type(tokenizer).__name__}, {tokenizer.vocabulary_size()} pieces"


def _is_cased(tokenizer: Any) -> bool | None:
    if isinstance(tokenizer, keras_hub.tokenizers.WordPieceTokenizer):
        return not (tokenizer.lowercase or tokenizer.strip_accents)
    if isinstance(tokenizer, keras_hub.models.XLMRobertaTokenizer):
        return True
    return None


def _sizes(folder: Path | None) -> dict[str, int]:
    if folder is None:
        return {}
    found: Sequence[Path] = sorted(x for x in folder.rglob("*") if x.is_file())
    return {
        x.relative_to(folder).as_posix(): x.stat().st_size
        for x in found
        if not x.name.startswith(".")
    }


def _licence(folder: Path | None) -> str | None:
    if folder is None:
        return None
    names = sorted({x.name for p in _LICENCES for x in folder.glob(p)})
    return ", ".join(names) or None
