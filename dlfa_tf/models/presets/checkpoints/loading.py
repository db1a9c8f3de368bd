"""From a checkpoint to an encoder."""

from typing import Any

import keras_hub

from dlfa_tf.models import large_weights
from dlfa_tf.models.presets.checkpoints import weights
from dlfa_tf.models.presets.checkpoints.folder import Checkpoint


def load_checkpoint(
    checkpoint: Checkpoint, *, load_weights: bool = True, dtype: Any = None
) -> keras_hub.models.Backbone:
    """Builds the encoder of a checkpoint and fills it with its weights.

    Args:
        checkpoint: `Checkpoint`.
        load_weights: bool; without, the files are read only to know whether
            there is a pooler.
        dtype: dtype or policy; None for the global one.

    Returns:
        A backbone of keras-hub, or one of `checkpoint_encoders`.

    Raises:
        FileNotFoundError: names a missing file.
        ValueError: says what is wrong with a file.
    """
    with checkpoint.open() as tensors:
        # Every weight but a pooler's, which is drawn then, is in the file.
        with large_weights.about_to_be_set(load_weights, least=0):
            encoder = weights.build_encoder(
                checkpoint.config,
                has_pooler=weights.has_pooler(checkpoint.config, tensors),
                dtype=dtype,
            )
        if load_weights:
            weights.load_weights(encoder, checkpoint.config, tensors)
    return encoder


def describe_checkpoint(checkpoint: Checkpoint) -> str:
    """Says in one line what a checkpoint is, from the heads of its files.

    Args:
        checkpoint: `Checkpoint`.

    Returns:
        str, one line.

    Raises:
        FileNotFoundError, ValueError: as `load_checkpoint`.
    """
    config = checkpoint.config
    with checkpoint.open() as tensors:
        pooler = weights.has_pooler(config, tensors)
    return (
        f"{checkpoint.form} checkpoint {checkpoint.folder.resolve().name}, "
        f"{config.kind}, {config.activation}, "
        f"{'its own' if pooler else 'a new'} pooler"
    )
