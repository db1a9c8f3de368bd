"""GELU in half the operations, with its gradient, for training on a CPU.

Of a layer that computes with float32 or bfloat16 numbers one by one, the time
is that of the passes over memory. Keras' GELU leaves the gradient to
TensorFlow, which goes through the numbers once for each factor of each term.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import keras

from dlfa_tf.lazy import tf
from dlfa_tf.models import checkpoint_encoders

# gelu(x) = x / 2 * (1 + tanh(_ROOT * (x + _CUBE * x^3)))
_ROOT = math.sqrt(2 / math.pi)
_CUBE = 0.044715


def use_in(model: Any) -> None:
    """Has the GELU of a model's dense layers computed that way.

    Args:
        model: Keras model on the TensorFlow backend.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Dense):
            layer.activation = _quick(layer.activation)


def _quick(activation: Any) -> Any:
    """The same function in fewer operations, where there is one."""
    own = checkpoint_encoders.ACTIVATIONS
    if activation in (keras.activations.gelu, own["gelu"]):
        return gelu
    # keras-hub's, of its encoders, is not public.
    name = getattr(activation, "__name__", None)
    if activation is own["gelu_tanh"] or name == "gelu_approximate":
        return gelu_tanh
    return activation


def gelu(x: Any) -> Any:
    """GELU, exact: `x / 2 * (1 + erf(x / sqrt(2)))`."""
    return _with_gradient(x, _share, _slope)


def gelu_tanh(x: Any) -> Any:
    """GELU in its form with tanh, that of keras-hub's BERT."""
    return _with_gradient(x, _share_tanh, _slope_tanh)


def _with_gradient(
    x: Any, share: Callable[[Any], Any], slope: Callable[[Any, Any], Any]
) -> Any:
    """`x * share(x)`, whose derivative is `slope(x, share(x))`."""

    @tf.custom_gradient
    def compute(x: Any) -> Any:
        own = share(x)
        return x * own, lambda upstream: upstream * slope(x, own)

    return compute(x)


def _share(x: Any) -> Any:
    number = functools.partial(tf.constant, dtype=x.dtype)
    return number(0.5) + number(0.5) * tf.math.erf(x * number(math.sqrt(0.5)))


def _slope(x: Any, share: Any) -> Any:
    number = functools.partial(tf.constant, dtype=x.dtype)
    density = tf.exp(number(-0.5) * tf.square(x))
    return share + x * density * number(1 / math.sqrt(2 * math.pi))


def _share_tanh(x: Any) -> Any:
    number = functools.partial(tf.constant, dtype=x.dtype)
    if x.dtype == tf.bfloat16:
        # Whose sigmoid takes three times as long as its tanh.
        inner = number(_ROOT) + number(_ROOT * _CUBE) * tf.square(x)
        return number(0.5) + number(0.5) * tf.tanh(x * inner)
    inner = number(2 * _ROOT) + number(2 * _ROOT * _CUBE) * tf.square(x)
    return tf.sigmoid(x * inner)


def _slope_tanh(x: Any, share: Any) -> Any:
    number = functools.partial(tf.constant, dtype=x.dtype)
    inner = number(2 * _ROOT) + number(6 * _ROOT * _CUBE) * tf.square(x)
    return share * (number(1.0) + x * (number(1.0) - share) * inner)
