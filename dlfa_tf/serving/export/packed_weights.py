"""Weights of many layers in few variables, as a loop reads them quickest.

In a session every variable that a loop reads costs four ops a pass: twelve
blocks of an encoder have two hundred, which takes longer than some of their
products.
"""

import collections
from typing import Any
from typing import NamedTuple

import numpy as np

from dlfa_tf.lazy import tf


class Handle(NamedTuple):
    """Where a weight lies: its group, and its place in there."""

    group: tuple
    place: int


class PackedWeights:
    """Gathers weights with `add`, stores them with `store`.

    Matrices of one shape are stacked, vectors are joined.
    `variables` are those to be tracked by what is exported.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple, list[np.ndarray]] = collections.defaultdict(
            list
        )
        self._stored: dict[tuple, Any] = {}
        self._sizes: dict[tuple, list[int]] = {}

    @property
    def variables(self) -> list[Any]:
        """The variables, once they are stored."""
        return list(self._stored.values())

    def add(self, weight: np.ndarray, dtype: str) -> Handle:
        """Adds a vector or a matrix, to be read as `dtype`."""
        key: tuple = (dtype, *(weight.shape if weight.ndim > 1 else ()))
        self._groups[key].append(np.asarray(weight))
        return Handle(key, len(self._groups[key]) - 1)

    def store(self) -> None:
        """Makes the variables; nothing can be added afterwards."""
        # One group after the other: the copies of one are freed again.
        while self._groups:
            key, weights = self._groups.popitem()
            dtype, *shape = key
            self._sizes[key] = [len(weight) for weight in weights]
            joined = np.stack(weights) if shape else np.concatenate(weights)
            name = "_".join(["packed", *map(str, shape or ["vectors"])])
            self._stored[key] = tf.Variable(
                tf.cast(joined, dtype), trainable=False, name=name
            )

    def read(self) -> dict[Handle, Any]:
        """The weights as tensors, in the graph that is being built."""
        tensors: dict[Handle, Any] = {}
        for key, variable in self._stored.items():
            sizes = self._sizes[key]
            # Neither copies a stack whose parts are aligned.
            if len(key) > 1:
                parts = tf.unstack(variable, len(sizes))
            else:
                parts = tf.split(variable, sizes)
            for index, part in enumerate(parts):
                tensors[Handle(key, index)] = part
        return tensors
