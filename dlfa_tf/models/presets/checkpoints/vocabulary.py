"""The tokenizer of a checkpoint, from whichever file holds its vocabulary."""

import base64
import binascii
import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras_hub
import numpy as np

from dlfa_tf.models.presets import sentencepiece_model
from dlfa_tf.models.presets.checkpoints import tensors
from dlfa_tf.models.presets.checkpoints.config import CheckpointConfig

WORDPIECE = "vocab.txt"
SENTENCEPIECE = ("sentencepiece.bpe.model", "sentencepiece.model")
FAST = "tokenizer.json"
SETTINGS = "tokenizer_config.json"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ACCEPTED = (
    f"{WORDPIECE} (cased WordPiece), {SENTENCEPIECE[0]} (XLM-R's "
    f"SentencePiece), or a {FAST} with one of the two"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Pieces of a checkpoint, as they stand in its files.

    Attributes:
        path: file that they were read from.
        pieces: the pieces by id; empty for a SentencePiece model.
        proto: serialised SentencePiece model; None for WordPiece.
        lowercase: whether text is to be lower-cased.
        strip_accents: whether accents are to be removed.
    """

    path: Path
    pieces: tuple[str, ...] = ()
    proto: bytes | None = None
    lowercase: bool = False
    strip_accents: bool = False

    @property
    def is_cased(self) -> bool:
        """Whether text is taken as it is."""
        return not (self.lowercase or self.strip_accents)


def read_vocabulary(folder: Path) -> Vocabulary:
    """Reads the vocabulary of a checkpoint's folder.

    Whether text is lower-cased stands in `tokenizer_config.json` or
    `tokenizer.json`; where neither says so, a vocabulary is cased that has a
    piece with a capital letter.

    Args:
        folder: folder of a checkpoint.

    Returns:
        `Vocabulary`.

    Raises:
        FileNotFoundError: when there is no vocabulary.
        TypeError: when it is of another kind.
        ValueError: when a file is damaged.
    """
    fast = _read_json(folder / FAST)
    settings = _read_json(folder / SETTINGS)
    for name in SENTENCEPIECE:
        if (path := folder / name).is_file():
            tensors.check_no_pointer(path)
            return Vocabulary(path=path, proto=path.read_bytes())
    if (path := folder / WORDPIECE).is_file():
        tensors.check_no_pointer(path)
        pieces = _lines(path)
        return _wordpiece(path, pieces, fast, settings)
    if fast:
        return _from_fast(folder / FAST, fast, settings)
    raise _none(folder)


def build_tokenizer(
    folder: Path, config: CheckpointConfig
) -> keras_hub.tokenizers.Tokenizer:
    """Builds the keras-hub tokenizer of a checkpoint's folder.

    Args:
        folder: folder of a checkpoint.
        config: `CheckpointConfig` of its encoder.

    Returns:
        A tokenizer of keras-hub.

    Raises:
        FileNotFoundError, TypeError: as `read_vocabulary`.
        ValueError: as there, when text is lower-cased or when the encoder
            has fewer rows than the vocabulary pieces.
    """
    found = read_vocabulary(folder)
    if not found.is_cased:
        raise ValueError(
            f"{found.path} is an uncased vocabulary. Received: lowercase="
            f"{found.lowercase}, strip_accents={found.strip_accents}, by "
            f"{SETTINGS}, {FAST} or the pieces. Accepted: a cased one, such "
            "as that of multi_cased_L-12_H-768_A-12 and "
            "bert-base-multilingual-cased; or token arrays "
            "(`preprocessor=None`)."
        )
    if found.proto is not None:
        tokenizer = _sentencepiece_tokenizer(found)
    else:
        cls = keras_hub.tokenizers.BertTokenizer
        if config.kind == "distilbert":
            cls = keras_hub.tokenizers.DistilBertTokenizer
        tokenizer = cls(vocabulary=list(found.pieces), lowercase=False)
    size = tokenizer.vocabulary_size()
    if size > config.vocabulary_size:
        raise ValueError(
            f"{found.path} does not belong to these weights. Received: {size} "
            f"pieces. Accepted: up to {config.vocabulary_size}, by "
            f"`vocab_size` in {config.path}."
        )
    return tokenizer


def _sentencepiece_tokenizer(found: Vocabulary) -> Any:
    try:
        return keras_hub.tokenizers.XLMRobertaTokenizer(proto=found.proto)
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(
            f"{found.path} cannot be read ({error}). Accepted: a complete "
            "SentencePiece model."
        ) from error
    except Exception as error:
        # TensorFlow's errors, whose classes are not imported here.
        if type(error).__module__.startswith("tensorflow"):
            reason = str(error).splitlines()[0][:200]
            raise ValueError(
                f"{found.path} cannot be read ({reason}). Accepted: a "
                "complete SentencePiece model."
            ) from error
        raise


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    values = tensors.read_json(path)
    return values if isinstance(values, dict) else {}


def _lines(path: Path) -> list[str]:
    # By bytes: a piece may be a character that Python ends lines with.
    lines = path.read_bytes().split(b"\n")
    if lines and not lines[-1].strip():
        lines.pop()
    try:
        return [line.rstrip(b"\r").decode("utf-8") for line in lines]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no UTF-8 text ({error}). Accepted: one piece a line."
        ) from error


def _wordpiece(
    path: Path,
    pieces: list[str],
    fast: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Vocabulary:
    missing = [piece for piece in _SPECIAL if piece not in pieces]
    if missing or len(set(pieces)) != len(pieces):
        why = (
            f"no {', '.join(missing)}"
            if missing
            else f"{len(pieces) - len(set(pieces))} pieces twice"
        )
        raise ValueError(
            f"{path} is no WordPiece vocabulary of BERT. Received: "
            f"{len(pieces)} pieces, {why}. Accepted: one piece a line, "
            f"{', '.join(_SPECIAL)} among them."
        )
    _check_added(path.with_name(FAST), fast, set(pieces))
    rules = {**_normalizer(fast), **_given(settings)}
    lowercase = rules.get("do_lower_case")
    if lowercase is None:
        lowercase = not any(
            piece != piece.lower()
            for piece in pieces
            if not piece.startswith("[")
        )
    if rules.get("tokenize_chinese_chars") is False:
        raise ValueError(
            f"{path.parent}: Chinese characters are words of their own in "
            "every text here. Received: tokenize_chinese_chars=False. "
            "Accepted: True, as BERT's own vocabularies have it."
        )
    return Vocabulary(
        path=path,
        pieces=tuple(pieces),
        lowercase=bool(lowercase),
        strip_accents=bool(rules.get("strip_accents")),
    )


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    names = ("do_lower_case", "strip_accents", "tokenize_chinese_chars")
    return {x: settings[x] for x in names if settings.get(x) is not None}


def _normalizer(fast: Mapping[str, Any]) -> dict[str, Any]:
    """BERT's normaliser in a `tokenizer.json`, under the names of settings."""
    for part in _parts(fast.get("normalizer")):
        if part.get("type") == "BertNormalizer":
            rules = {
                "do_lower_case": part.get("lowercase"),
                "strip_accents": part.get("strip_accents"),
                "tokenize_chinese_chars": part.get("handle_chinese_chars"),
            }
            return {k: v for k, v in rules.items() if v is not None}
    return {}


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """A step of a `tokenizer.json`, or the steps of a sequence of them."""
    if not isinstance(value, dict):
        return
    yield value
    for part in value.get("normalizers", ()):
        yield from _parts(part)


def _from_fast(
    path: Path, fast: Mapping[str, Any], settings: Mapping[str, Any]
) -> Vocabulary:
    model = fast.get("model") or {}
    vocabulary = model.get("vocab")
    kind = model.get("type")
    if kind is None and isinstance(vocabulary, list):
        kind = "Unigram"
    if kind == "WordPiece" and isinstance(vocabulary, dict):
        if model.get("continuing_subword_prefix", "##") != "##":
            raise ValueError(
                f"{path}: pieces within a word must begin with '##'. "
                f"Received: {model['continuing_subword_prefix']!r}."
            )
        return _wordpiece(path, _by_id(path, vocabulary), fast, settings)
    if kind == "Unigram" and isinstance(vocabulary, list):
        pieces = [piece for piece, _ in vocabulary]
        _check_added(path, fast, set(pieces))
        scores = np.array([score for _, score in vocabulary], np.float32)
        return Vocabulary(
            path=path,
            proto=sentencepiece_model.sentencepiece_proto(
                pieces, scores, _charsmap(path, fast)
            ),
        )
    raise TypeError(
        f"{path} holds another kind of tokenizer. Received: {kind!r}. "
        "Accepted: WordPiece as BERT has it, Unigram as XLM-R has it; or token "
        "arrays (`preprocessor=None`)."
    )


def _by_id(path: Path, vocabulary: Mapping[str, int]) -> list[str]:
    pieces = sorted(vocabulary, key=lambda piece: vocabulary[piece])
    if sorted(vocabulary.values()) != list(range(len(pieces))):
        raise ValueError(
            f"{path}: the ids of the pieces have gaps or repeat. Accepted: "
            f"0 to {len(pieces) - 1}, each once."
        )
    return pieces


def _charsmap(path: Path, fast: Mapping[str, Any]) -> bytes | None:
    for part in _parts(fast.get("normalizer")):
        if encoded := part.get("precompiled_charsmap"):
            try:
                return base64.b64decode(encoded, validate=True)
            except (binascii.Error, TypeError) as error:
                raise ValueError(
                    f"{path}: `precompiled_charsmap` is no base64 ({error})."
                ) from error
    return None


def _check_added(path: Path, fast: Mapping[str, Any], pieces: set[str]) -> None:
    added = [
        entry["content"]
        for entry in fast.get("added_tokens") or ()
        if not entry.get("special") and entry["content"] not in pieces
    ]
    if added:
        raise ValueError(
            f"{path} adds words to the vocabulary, which the tokenizers here "
            f"do not know. Received: {len(added)}, such as {added[0]!r}. "
            "Accepted: the vocabulary alone."
        )


def _none(folder: Path) -> Exception:
    if (folder / "merges.txt").is_file():
        return TypeError(
            f"{folder} holds another kind of tokenizer. Received: merges.txt "
            f"(byte-level BPE). Accepted: {_ACCEPTED}; or token arrays "
            "(`preprocessor=None`)."
        )
    others = sorted(x.name for x in folder.glob("*.model"))
    received = ", ".join(others) if others else "none"
    return FileNotFoundError(
        f"{folder} has no vocabulary. Received: {received}. Accepted: "
        f"{_ACCEPTED}."
    )
