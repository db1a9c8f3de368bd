"""One vector for a whole sequence, as classification heads read it."""

from typing import Any

import keras
import keras_hub

from dlfa_tf import checks
from dlfa_tf.layers.masked_pooling import MaskedAveragePooling
from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.options import POOLERS
from dlfa_tf.options import SENTENCE_POOLINGS

POOLER_NAME = "pooled_dense"
POOLING_NAME = "sentence_pooling"


def check_pooling(sentence_pooling: str, pooler: str) -> None:
    """Refuses unknown names; see `pooled_output`."""
    checks.check_choice("sentence_pooling", sentence_pooling, SENTENCE_POOLINGS)
    checks.check_choice("pooler", pooler, POOLERS)


def sentence_vector(
    sequence_output: Any, padding_mask: Any, sentence_pooling: str, policy: Any
) -> Any:
    """Sums a sequence up in one vector: what a pooler and a head read.

    From `(batch, time, dim)` to `(batch, dim)`. `sentence_pooling` is `"first"`
    (position 0, as BERT does) or `"mean"` (over real tokens).
    """
    if sentence_pooling == "mean":
        return MaskedAveragePooling(dtype=policy, name=POOLING_NAME)(
            sequence_output, mask=padding_mask
        )
    return sequence_output[:, 0, :]


def pooled_output(
    encoder: keras_hub.models.Backbone,
    sequence_output: Any,
    sentence_pooling: str,
    pooler: str,
    policy: Any,
) -> Any:
    """Sums a sequence up (see `sentence_vector`) and applies the pooler head.

    `pooler` is the dense layer with tanh after it. `"encoder"`: the encoder's
    own, a new one where it has none; `"new"`: one with random weights;
    `"identity"`: one that starts as the identity; `"none"`: no dense layer and
    no tanh.
    """
    pooled = sentence_vector(
        sequence_output,
        encoder.input["padding_mask"],
        sentence_pooling,
        policy,
    )
    if pooler == "none":
        return pooled
    if pooler == "encoder" and checkpoint_encoders.has_own_pooler(
        encoder, POOLER_NAME
    ):
        return encoder.get_layer(POOLER_NAME)(pooled)
    return keras.layers.Dense(
        sequence_output.shape[-1],
        activation="tanh",
        kernel_initializer=(
            "identity" if pooler == "identity" else "glorot_uniform"
        ),
        dtype=policy,
        name=POOLER_NAME,
    )(pooled)
