"""Checks of arguments that need Keras."""

from collections.abc import Callable

import keras

from dlfa_tf.types import Activation
from dlfa_tf.types import Tensor


def check_activation(value: Activation) -> Callable[[Tensor], Tensor]:
    """Returns `activation` as a function.

    Args:
        value: str, function or None, what the caller gave.

    Returns:
        Function from tensor to tensor; the identity for None.

    Raises:
        ValueError: when Keras knows no such activation.
    """
    try:
        return keras.activations.get(value)
    except ValueError as error:
        raise ValueError(
            f"`activation` is not known. Received: {value!r}. Accepted: the "
            "names in keras.activations, functions and None."
        ) from error
