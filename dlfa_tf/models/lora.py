"""What low-rank adaptation (LoRA) leaves to train besides its factors.

keras-hub freezes every layer of a backbone but those that get factors, and
stores the factors alone. The fusion layer, and a pooler that the encoder did
not have, start at random, so they have to be trained; and what is trained, the
biases beside the factors too, has to be stored.
"""

import os
import pathlib
from typing import Any

import h5py
import keras
import numpy as np

_GROUP = "adapted"


def check_rank(rank: Any) -> None:
    """Refuses a rank that is no whole number from 1."""
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ValueError(
            f"`rank` must be a whole number from 1. Received: {rank!r}."
        )


def check_not_enabled(backbone: Any, rank: int) -> None:
    """Refuses layers that have factors already, which Keras cannot redo."""
    ranks = {
        layer.lora_rank
        for layer in backbone._flatten_layers(include_self=False)
        if getattr(layer, "lora_enabled", False)
    }
    if ranks:
        raise ValueError(
            "`enable_lora` works once per encoder. Received: "
            f"`rank`={rank} for layers with factors of rank "
            f"{', '.join(map(str, sorted(ranks)))}. Accepted: a model without "
            "factors, built anew or loaded."
        )


def check_has_targets(backbone: Any, names: list[str]) -> None:
    """Refuses names that no layer has, which would train nothing."""
    known = sorted(
        {
            layer.name
            for layer in backbone._flatten_layers(include_self=False)
            if hasattr(layer, "enable_lora") and layer.weights
        }
    )
    if set(known).isdisjoint(names):
        raise ValueError(
            "`target_layer_names` names no layer that takes LoRA. Received: "
            f"{names!r}. Accepted: {known}."
        )


def adapted_weights(backbone: Any, new_layers: list[Any]) -> list[Any]:
    """What adaptation trains besides the factors.

    These are the weights of new layers, which the encoder does not have, and
    the biases of layers with factors, after `enable_lora`.
    """
    weights = [weight for layer in new_layers for weight in layer.weights]
    for layer in backbone._flatten_layers(include_self=False):
        if getattr(layer, "lora_enabled", False) and layer.bias is not None:
            weights.append(layer.bias)
    return weights


def add_adapted(path: str | os.PathLike[str], weights: list[Any]) -> None:
    """Adds weights to a file of factors."""
    with h5py.File(path, "r+") as file:
        group = file.create_group(_GROUP)
        for i, weight in enumerate(weights):
            group[f"{i:03d}"] = keras.ops.convert_to_numpy(weight.value)


def read_adapted(path: str | os.PathLike[str], weights: list[Any]) -> None:
    """Takes weights from a file of factors; refuses those of another fusion."""
    with h5py.File(path, "r") as file:
        values = [np.asarray(x) for x in file.get(_GROUP, {}).values()]
    found = [value.shape for value in values]
    expected = [tuple(weight.shape) for weight in weights]
    if found != expected:
        raise ValueError(
            f"{str(pathlib.Path(path))!r} does not fit this model's fusion "
            f"layer and pooler. Received: arrays of shapes {found}. Accepted: "
            f"{expected}, as `save_lora_weights` of a model with the same "
            "fusion writes them."
        )
    for weight, value in zip(weights, values, strict=True):
        weight.assign(value)
