"""Weights of many layers in few variables, as a loop reads them quickest.

In a session every variable that a loop reads costs four ops a pass: twelve
blocks of an encoder have two hundred, which takes longer than some of their
products.
"""

import collections
import itertools
from typing import Any
from typing import NamedTuple

import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.serving.export import dequantised_weights


class Group(NamedTuple):
    """What weights have in common that lie in one variable.

    Attributes:
        dtype: str, in which they are read.
        in_int8: bool, whether they are stored in eight bits.
        shape: tuple of int, that of each matrix; empty of vectors.
    """

    dtype: str
    in_int8: bool
    shape: tuple[int, ...]


class Handle(NamedTuple):
    """Where a weight lies: its group, and its place in there."""

    group: Group
    place: int


class PackedWeights:
    """Gathers weights with `add`, stores them with `store`.

    Matrices of one shape are stacked, vectors are joined.
    `variables` and `resources` are to be tracked by what is exported.
    """

    def __init__(self) -> None:
        self._groups: dict[Group, list[np.ndarray]] = collections.defaultdict(
            list
        )
        self._stored: dict[Group, Any] = {}
        self._resources: dict[Group, Any] = {}
        self._sizes: dict[Group, list[int]] = {}

    @property
    def variables(self) -> list[Any]:
        """The variables, once they are stored."""
        parts = [x.variables for x in self._resources.values()]
        return [*self._stored.values(), *itertools.chain.from_iterable(parts)]

    @property
    def resources(self) -> list[Any]:
        """What is made of some of the variables when an export is loaded."""
        return list(self._resources.values())

    def add(
        self, weight: np.ndarray, dtype: str, in_int8: bool = False
    ) -> Handle:
        """Adds a vector or a matrix, to be read as `dtype`.

        A matrix that is stored `in_int8` should be quantised already, by its
        columns.
        """
        shape = weight.shape if weight.ndim > 1 else ()
        key = Group(dtype, in_int8, shape)
        self._groups[key].append(np.asarray(weight))
        return Handle(key, len(self._groups[key]) - 1)

    def store(self) -> None:
        """Makes the variables; nothing can be added afterwards."""
        # One group after the other: the copies of one are freed again.
        while self._groups:
            key, weights = self._groups.popitem()
            dtype, in_int8, shape = key
            self._sizes[key] = [len(weight) for weight in weights]
            joined = np.stack(weights) if shape else np.concatenate(weights)
            if in_int8:
                self._resources[key] = dequantised_weights.dequantised(
                    joined, dtype
                )
                continue
            name = "_".join(["packed", *map(str, shape or ("vectors",))])
            self._stored[key] = tf.Variable(
                tf.cast(joined, dtype), trainable=False, name=name
            )

    def read(self) -> dict[Handle, Any]:
        """The weights as tensors, in the graph that is being built."""
        tensors: dict[Handle, Any] = {}
        groups = {
            **self._stored,
            **{key: x.read() for key, x in self._resources.items()},
        }
        for key, group in groups.items():
            sizes = self._sizes[key]
            # Neither copies a stack whose parts are aligned.
            if key.shape:
                parts = tf.unstack(group, len(sizes))
            else:
                parts = tf.split(group, sizes)
            for index, part in enumerate(parts):
                tensors[Handle(key, index)] = part
        return tensors
