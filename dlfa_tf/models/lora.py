"""What low-rank adaptation (LoRA) leaves to train besides its factors.

keras-hub freezes every layer of a backbone but the factors, and stores the
factors alone. The fusion layer, and a pooler that the encoder did not have,
start at random, so they have to be trained and stored too.
"""

import os
import pathlib
from typing import Any

import h5py
import keras
import numpy as np

_GROUP = "new_layers"


def check_rank(rank: Any) -> None:
    """Refuses a rank that is no whole number from 1."""
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ValueError(
            f"`rank` must be a whole number from 1. Received: {rank!r}."
        )


def check_has_targets(backbone: Any, names: Any) -> None:
    """Refuses names that no layer has, which would train nothing."""
    if not backbone._lora_enabled_layers:
        known = sorted(
            {
                layer.name
                for layer in backbone._flatten_layers(include_self=False)
                if hasattr(layer, "enable_lora") and layer.weights
            }
        )
        raise ValueError(
            "`target_layer_names` names no layer that takes LoRA. Received: "
            f"{names!r}. Accepted: {known}."
        )


def add_new_layers(path: str | os.PathLike[str], layers: list[Any]) -> None:
    """Adds the weights of layers to a file of LoRA factors."""
    with h5py.File(path, "r+") as file:
        group = file.create_group(_GROUP)
        for i, weight in enumerate(_weights(layers)):
            group[f"{i:03d}"] = keras.ops.convert_to_numpy(weight.value)


def read_new_layers(path: str | os.PathLike[str], layers: list[Any]) -> None:
    """Takes the weights of layers from a file of LoRA factors.

    Raises:
        ValueError: when the file has none, or those of another fusion.
    """
    weights = _weights(layers)
    with h5py.File(path, "r") as file:
        values = [np.asarray(x) for x in file.get(_GROUP, {}).values()]
    found = [value.shape for value in values]
    expected = [tuple(weight.shape) for weight in weights]
    if found != expected:
        raise ValueError(
            f"{str(pathlib.Path(path))!r} does not fit this model's fusion "
            f"layer and pooler. Received arrays of shapes {found}. Accepted: "
            f"{expected}, as `save_lora_weights` of a model with the same "
            "fusion writes them."
        )
    for weight, value in zip(weights, values, strict=True):
        weight.assign(value)


def _weights(layers: list[Any]) -> list[Any]:
    return [weight for layer in layers for weight in layer.weights]
