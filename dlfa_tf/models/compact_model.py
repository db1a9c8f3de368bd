"""A task model over some of the embedding rows: smaller, otherwise the same.

Training touches few rows of a multilingual vocabulary, and so do the texts of a
service in few languages.
"""

from typing import Any

import keras
import numpy as np

from dlfa_tf.models import large_weights
from dlfa_tf.models.dlfa_backbone import DLFABackbone


def compact_model(model: Any, used: np.ndarray) -> Any:
    """Builds the same task model over the embedding rows `used`, sorted ids.

    Its token id i stands for `used[i]`. It has no preprocessor, and copies of
    the weights and of the state of dropout. A model that has more weights than
    the token embedding with one row for each piece lists all in
    `vocabulary_weights`.
    """
    with large_weights.about_to_be_set(least=0):
        small = _over_rows(model, len(used))
    # All variables: the seeds of dropout are no weights.
    for source, target in zip(model.variables, small.variables, strict=True):
        value = source.value
        if _has_vocabulary(model, source):
            value = keras.ops.take(value, used, axis=0)
        target.assign(value)
    return small


def _over_rows(model: Any, rows: int) -> Any:
    """The same task model over so many rows, with weights of its own."""
    encoder = model.backbone.encoder
    encoder_config = encoder.get_config()
    encoder_config["vocabulary_size"] = rows
    encoder_config.pop("name", None)
    backbone_config = model.backbone.get_config()
    backbone_config.pop("name", None)
    backbone_config["encoder"] = type(encoder).from_config(encoder_config)
    config = model.get_config()
    config.pop("name", None)
    if "preprocessor" in config:
        config["preprocessor"] = None
    config["backbone"] = DLFABackbone.from_config(backbone_config)
    return type(model).from_config(config)


def write_back(model: Any, small: Any, used: np.ndarray | None) -> None:
    """Copies the weights of a compact model into the full one.

    Rows of the token embedding that are not in `used` stay as they are. `small`
    is what `compact_model` made of a model like this one, with these ids;
    `used` is None when it has all rows.
    """
    for source, target in zip(small.weights, model.weights, strict=True):
        if used is None or not _has_vocabulary(model, target):
            target.assign(source.value)
        else:
            large_weights.set_rows(target, used, source.value)


def _has_vocabulary(model: Any, variable: Any) -> bool:
    """Whether a variable has one row for each piece."""
    tables = getattr(
        model, "vocabulary_weights", [model.backbone.token_embedding.embeddings]
    )
    return any(variable is table for table in tables)
