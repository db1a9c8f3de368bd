"""Token arrays on disk: made once, mapped into memory, never trusted blindly.

A cache is found by a digest of everything that decides its content: the
examples, the settings and the vocabulary of the preprocessor, the code that
tokenises and the versions of the packages it calls. Nothing is looked up by a
file's name or date.
"""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlfa_tf import cache_folder
from dlfa_tf import lazy
from dlfa_tf import preprocessing
from dlfa_tf.data import arrays
from dlfa_tf.data import readers
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.readers import Examples
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor

# Fewer examples are tokenised in less time than a user would notice; they are
# not worth a folder.
LEAST_EXAMPLES = 1000

_ARRAYS = (
    "token_ids", "segment_ids", "row_splits", "labels", "label_mask",
    "word_splits",
)  # fmt: skip

logger = logging.getLogger(__name__)


def cached_tokens(
    examples: Examples,
    preprocessor: PairPreprocessor | TaggingPreprocessor,
    cache_dir: str | os.PathLike[str] | None = None,
) -> TokenArrays:
    """Does what `tokenize_examples` does, but only once for the same input.

    The arrays lie in a folder of their own below `tokens/` of the cache and are
    mapped read-only, so that many processes share one copy. A folder that is
    damaged, incomplete or of something else is built anew. Where the cache
    cannot be written, a warning is logged and the arrays stay in memory. Fewer
    than `LEAST_EXAMPLES` (1000) examples are always tokenised anew. For
    `cache_dir` see `cache_root`.
    """
    if len(examples) < LEAST_EXAMPLES:
        return arrays.tokenize_examples(examples, preprocessor)
    key = token_key(examples, preprocessor)
    folder = cache_folder.cache_root(cache_dir) / "tokens" / key
    built: list[TokenArrays] = []

    def build(target: Path) -> None:
        built.append(arrays.tokenize_examples(examples, preprocessor))
        _save(built[-1], target)

    try:
        cache_folder.ensure_folder(folder, build, tag=key)
        return _load(folder)
    except OSError as error:
        logger.warning("The tokens are not cached: %s", error)
        return (
            built[-1]
            if built
            else arrays.tokenize_examples(examples, preprocessor)
        )


def token_key(
    examples: Sequence[Any],
    preprocessor: PairPreprocessor | TaggingPreprocessor,
) -> str:
    """Names the token arrays of some examples, by 64 hexadecimal digits.

    The name is another one whenever the arrays could differ.
    """
    digest = hashlib.sha256()
    _add(digest, json.dumps(_settings(preprocessor), sort_keys=True))
    digest.update(_code_digest())
    for example in examples:
        fields = [*readers.texts_of(example)]
        if isinstance(example, TaggedSentence):
            fields += example.tags
        else:
            fields.append(example.label)
        # The number of fields and the length of each make it unambiguous.
        digest.update(b"%d;" % len(fields))
        for field in fields:
            _add(digest, field)
    return digest.hexdigest()


def _add(digest: Any, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    digest.update(b"%d:" % len(data))
    digest.update(data)


def _settings(
    preprocessor: PairPreprocessor | TaggingPreprocessor,
) -> dict[str, Any]:
    """What decides the arrays beside the examples and the code."""
    pieces = preprocessor.pieces
    return {
        "class": type(preprocessor).__name__,
        "labels": preprocessor.labels,
        "sequence_length": preprocessor.sequence_length,
        "label_piece": getattr(preprocessor, "resolved_label_piece", None),
        "tokenizer": type(preprocessor.tokenizer).__name__,
        "vocabulary": _vocabulary_digest(preprocessor.tokenizer),
        "special_ids": [
            pieces.start_id,
            pieces.end_id,
            pieces.unk_id,
            *pieces.pair_separator,
        ],
        "packages": [tf.__version__, lazy.tf_text.__version__],
    }


def _vocabulary_digest(tokenizer: Any) -> str:
    proto = getattr(tokenizer, "proto", None)
    data = proto or json.dumps(tokenizer.get_vocabulary()).encode()
    return hashlib.sha256(data).hexdigest()


def _code_digest() -> bytes:
    """Digest of the sources that turn examples into arrays."""
    folder = Path(str(preprocessing.__file__)).parent
    digest = hashlib.sha256()
    for path in [*sorted(folder.glob("*.py")), Path(arrays.__file__)]:
        digest.update(path.read_bytes())
    return digest.digest()


def _save(tokens: TokenArrays, folder: Path) -> None:
    for name in _ARRAYS:
        value = getattr(tokens, name)
        if value is not None:
            np.save(folder / f"{name}.npy", value, allow_pickle=False)


def _load(folder: Path) -> TokenArrays:
    values = {}
    for name in _ARRAYS:
        path = folder / f"{name}.npy"
        if path.exists():
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            # A plain array over the same pages, not NumPy's subclass.
            values[name] = mapped.view(np.ndarray)
    return TokenArrays(**values)
