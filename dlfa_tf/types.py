"""Type aliases shared by the whole package."""

from collections.abc import Callable
from typing import Any
from typing import TypeAlias

# The backends of Keras have no tensor class in common, and a symbolic
# `KerasTensor` must be accepted wherever an eager tensor is.
Tensor: TypeAlias = Any

# `None` stands for a size that is known only when the data arrives.
Shape: TypeAlias = tuple[int | None, ...]

# What `get_config` returns: values that can be written as JSON.
Config: TypeAlias = dict[str, Any]

# A name that `keras.activations.get` knows, a function, or None (identity).
Activation: TypeAlias = str | Callable[[Tensor], Tensor] | None

# What receives one-line messages about what is going on.
Say: TypeAlias = Callable[[str], None]
