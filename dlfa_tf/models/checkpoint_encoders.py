"""keras-hub encoders that compute what a checkpoint of another program asks.

keras-hub fixes activation and epsilon for each class, and its BERT always has
a pooler. These classes keep all three in their config, so that a saved model,
a preset folder and a bundle compute what the checkpoint's own program does.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
import keras_hub

from dlfa_tf import checks
from dlfa_tf.types import Config


def _gelu(x: Any) -> Any:
    return keras.ops.gelu(x, approximate=False)


def _gelu_tanh(x: Any) -> Any:
    return keras.ops.gelu(x, approximate=True)


ACTIVATIONS: Mapping[str, Any] = MappingProxyType(
    {
        "gelu": _gelu,
        "gelu_tanh": _gelu_tanh,
        "relu": keras.activations.relu,
        "silu": keras.activations.silu,
    }
)


def has_own_pooler(encoder: keras_hub.models.Backbone, name: str) -> bool:
    """Whether an encoder has a layer called `name` with trained weights.

    A `BertEncoder` whose checkpoint had no pooler has the layer, but not the
    weights.
    """
    own = any(layer.name == name for layer in encoder.layers)
    return own and getattr(encoder, "has_pooler", True)


def activation_name(encoder: keras_hub.models.Backbone) -> str:
    """Name in `ACTIVATIONS` of what the blocks of an encoder compute with.

    For an activation without a name here, Keras' own name of it.
    """
    own = getattr(encoder, "activation", None)
    if own is not None:
        return own
    block = next(x for x in encoder.layers if x.name == "transformer_layer_0")
    activation = block.activation
    if activation is keras.activations.gelu:
        return "gelu"
    name = str(getattr(activation, "__name__", activation))
    return "gelu_tanh" if name == "gelu_approximate" else name


def _set_up(encoder: Any, activation: str, layer_norm_epsilon: float) -> None:
    """Makes the layers that an encoder was built of compute as asked for."""
    checks.check_choice("activation", activation, tuple(ACTIVATIONS))
    checks.check_positive_number("layer_norm_epsilon", layer_norm_epsilon)
    encoder.activation = activation
    encoder.layer_norm_epsilon = layer_norm_epsilon
    encoder.embeddings_layer_norm.epsilon = layer_norm_epsilon
    for block in encoder.transformer_layers:
        block.activation = ACTIVATIONS[activation]
        block._feedforward_intermediate_dense.activation = block.activation
        block.layer_norm_epsilon = layer_norm_epsilon
        block._self_attention_layer_norm.epsilon = layer_norm_epsilon
        block._feedforward_layer_norm.epsilon = layer_norm_epsilon


class _Chosen:
    """Keeps in the config what `_set_up` has set."""

    activation: str
    layer_norm_epsilon: float

    def get_config(self) -> Config:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),  # type: ignore[misc]
            "activation": self.activation,
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }


@keras.saving.register_keras_serializable(package="dlfa_tf")
class BertEncoder(_Chosen, keras_hub.models.BertBackbone):
    """keras-hub's `BertBackbone` with a choice of activation and pooler.

    Args:
        activation: str, what the blocks compute with: `"gelu"` (the exact
            form), `"gelu_tanh"` (keras-hub's), `"relu"` or `"silu"`. Defaults
            to `"gelu"` (Hugging Face's name for the exact form).
        layer_norm_epsilon: float. Defaults to `1e-12` (BERT's).
        has_pooler: bool, whether the pooler has trained weights; otherwise
            `DLFABackbone` puts a new one in its place. Defaults to `True`.
        **kwargs: arguments of `BertBackbone`.

    Raises:
        ValueError: for an unknown activation or an epsilon that is not
            positive.
    """

    def __init__(
        self,
        activation: str = "gelu",
        layer_norm_epsilon: float = 1e-12,
        has_pooler: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _set_up(self, activation, layer_norm_epsilon)
        self.has_pooler = has_pooler

    def get_config(self) -> Config:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "has_pooler": self.has_pooler,
        }


@keras.saving.register_keras_serializable(package="dlfa_tf")
class DistilBertEncoder(_Chosen, keras_hub.models.DistilBertBackbone):
    """keras-hub's `DistilBertBackbone` with a choice of activation.

    Args:
        activation: as of `BertEncoder`.
        layer_norm_epsilon: float. Defaults to `1e-12` (DistilBERT's).
        **kwargs: arguments of `DistilBertBackbone`.

    Raises:
        ValueError: as `BertEncoder`.
    """

    def __init__(
        self,
        activation: str = "gelu",
        layer_norm_epsilon: float = 1e-12,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _set_up(self, activation, layer_norm_epsilon)


@keras.saving.register_keras_serializable(package="dlfa_tf")
class XLMRobertaEncoder(_Chosen, keras_hub.models.XLMRobertaBackbone):
    """keras-hub's `XLMRobertaBackbone` with a choice of activation.

    Args:
        activation: as of `BertEncoder`.
        layer_norm_epsilon: float. Defaults to `1e-5` (RoBERTa's).
        **kwargs: arguments of `XLMRobertaBackbone`.

    Raises:
        ValueError: as `BertEncoder`.
    """

    def __init__(
        self,
        activation: str = "gelu",
        layer_norm_epsilon: float = 1e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _set_up(self, activation, layer_norm_epsilon)
