"""What an export promises to those who call it; imports nothing.

Exporter, lint and client read it here, so that they cannot disagree.
"""

import dataclasses
from collections.abc import Mapping

# The first released server whose TensorFlow Text is that of the exporter.
MINIMUM_SERVER_VERSION = "2.20.0"
# Examples per request that warm-up records cover and the client sends.
MAX_BATCH_SIZE = 32
# Files of an export besides TensorFlow's own.
EXTRA = "assets.extra"
MANIFEST = f"{EXTRA}/dlfa_manifest.json"
METADATA = f"{EXTRA}/dlfa_tf.json"
WARMUP = f"{EXTRA}/tf_serving_warmup_requests"
DEFAULT_SIGNATURE = "serving_default"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """Type, by TensorFlow's name, and rank of an input or output.

    The rank counts the first dimension, which is always the batch.
    """

    dtype: str
    rank: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signature:
    """Named inputs and outputs of one function of an export."""

    inputs: Mapping[str, Field]
    outputs: Mapping[str, Field]


_TEXT = Field(dtype="string", rank=1)
_WORDS = Field(dtype="string", rank=2)
_NUMBERS = Field(dtype="float32", rank=2)
_PAIR = {"first": _TEXT, "second": _TEXT}
_EMBEDDING = {"embedding": _NUMBERS}
_TAGS = {
    "words": _WORDS,
    "tags": _WORDS,
    "scores": _NUMBERS,
    "length": Field(dtype="int32", rank=1),
}

# Kind of model -> name of signature -> signature. A `classifier` takes pairs.
SIGNATURES: Mapping[str, Mapping[str, Signature]] = {
    "classifier": {
        DEFAULT_SIGNATURE: Signature(
            inputs=_PAIR, outputs={"label": _TEXT, "probabilities": _NUMBERS}
        ),
        "embed": Signature(inputs=_PAIR, outputs=_EMBEDDING),
    },
    "single_classifier": {
        DEFAULT_SIGNATURE: Signature(
            inputs={"text": _TEXT},
            outputs={"label": _TEXT, "probabilities": _NUMBERS},
        ),
        "embed": Signature(inputs={"text": _TEXT}, outputs=_EMBEDDING),
    },
    "tagger": {
        DEFAULT_SIGNATURE: Signature(inputs={"text": _TEXT}, outputs=_TAGS),
        "tag_words": Signature(inputs={"words": _WORDS}, outputs=_TAGS),
        "embed": Signature(inputs={"text": _TEXT}, outputs=_EMBEDDING),
    },
}
