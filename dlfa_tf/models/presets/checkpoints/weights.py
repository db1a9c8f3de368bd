"""Which tensor of a checkpoint is which weight of a keras-hub encoder."""

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any
from typing import NamedTuple

import keras_hub
import numpy as np

from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.models import large_weights
from dlfa_tf.models.presets.checkpoints.config import CheckpointConfig
from dlfa_tf.models.presets.checkpoints.tensors import Tensors

_WORDS = "embeddings.word_embeddings"
_POOLER = "pooler.dense"
_EMBEDDINGS = MappingProxyType(
    {
        "token_embedding": _WORDS,
        "position_embedding": "embeddings.position_embeddings",
        "segment_embedding": "embeddings.token_type_embeddings",
        "embeddings_layer_norm": "embeddings.LayerNorm",
        "pooled_dense": _POOLER,
    }
)
_BLOCKS = MappingProxyType(
    {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "attention_output": "attention.output.dense",
        "self_attention_layer_norm": "attention.output.LayerNorm",
        "feedforward_intermediate_dense": "intermediate.dense",
        "feedforward_output_dense": "output.dense",
        "feedforward_layer_norm": "output.LayerNorm",
    }
)
_DISTILBERT_BLOCKS = MappingProxyType(
    {
        "query": "attention.q_lin",
        "key": "attention.k_lin",
        "value": "attention.v_lin",
        "attention_output": "attention.out_lin",
        "self_attention_layer_norm": "sa_layer_norm",
        "feedforward_intermediate_dense": "ffn.lin1",
        "feedforward_output_dense": "ffn.lin2",
        "feedforward_layer_norm": "output_layer_norm",
    }
)
# Endings of PyTorch's names, and of TensorFlow's, for each of Keras'.
_ENDINGS = MappingProxyType(
    {
        "embeddings": (".weight", ""),
        "kernel": (".weight", ".kernel"),
        "gamma": (".weight", ".gamma"),
        "beta": (".bias", ".beta"),
        "bias": (".bias",),
    }
)


class _Part(NamedTuple):
    """A tensor's name without prefix and ending, and how it is laid out."""

    name: str
    kind: str
    reads_width: bool


def build_encoder(
    config: CheckpointConfig, *, has_pooler: bool, dtype: Any = None
) -> keras_hub.models.Backbone:
    """Builds the encoder of a checkpoint, with weights that Keras draws.

    A class of keras-hub itself where it computes the same, so that what is
    saved can be read without this package; else one of `checkpoint_encoders`.

    Args:
        config: `CheckpointConfig`.
        has_pooler: bool, whether it has a pooler, of which BERT alone knows.
        dtype: dtype or policy; None for the global one.

    Returns:
        A backbone of keras-hub.
    """
    sizes: dict[str, Any] = {
        "vocabulary_size": config.vocabulary_size,
        "num_layers": config.num_layers,
        "num_heads": config.num_heads,
        "hidden_dim": config.hidden_dim,
        "intermediate_dim": config.intermediate_dim,
        "dropout": config.dropout,
        "max_sequence_length": config.num_positions,
        "dtype": dtype,
    }
    computed = config.activation, config.layer_norm_epsilon
    options: dict[str, Any] = {
        "activation": config.activation,
        "layer_norm_epsilon": config.layer_norm_epsilon,
    }
    if config.kind == "bert":
        sizes["num_segments"] = config.num_segments
        if computed == ("gelu_tanh", 1e-12) and has_pooler:
            return keras_hub.models.BertBackbone(**sizes)
        return checkpoint_encoders.BertEncoder(
            **sizes, **options, has_pooler=has_pooler
        )
    if config.kind == "distilbert":
        if computed == ("gelu", 1e-12):
            return keras_hub.models.DistilBertBackbone(**sizes)
        return checkpoint_encoders.DistilBertEncoder(**sizes, **options)
    if computed == ("gelu", 1e-5):
        if config.kind == "roberta":
            return keras_hub.models.RobertaBackbone(**sizes)
        return keras_hub.models.XLMRobertaBackbone(**sizes)
    return checkpoint_encoders.XLMRobertaEncoder(**sizes, **options)


def has_pooler(config: CheckpointConfig, tensors: Tensors) -> bool:
    """Whether a checkpoint holds a pooler that its encoder has a place for.

    keras-hub's XLM-R, RoBERTa and DistilBERT have none.

    Args:
        config: `CheckpointConfig`.
        tensors: `Tensors` of the checkpoint.

    Returns:
        bool.
    """
    if config.kind != "bert":
        return False
    find = _finder(config, tensors)
    return all(find(_POOLER, kind) for kind in ("kernel", "bias"))


def load_weights(
    encoder: keras_hub.models.Backbone,
    config: CheckpointConfig,
    tensors: Tensors,
) -> None:
    """Fills an encoder that `build_encoder` built.

    Args:
        encoder: backbone.
        config: `CheckpointConfig` that it was built of.
        tensors: `Tensors` of the checkpoint.

    Raises:
        ValueError: names file and tensor, its shape or what is missing.
    """
    find = _finder(config, tensors)
    pooler = has_pooler(config, tensors)
    for variable in encoder.weights:
        part = _part(variable.path, config.kind)
        if part.name == _POOLER and not pooler:
            _draw(encoder.get_layer("pooled_dense"), variable)
            continue
        name = find(part.name, part.kind)
        if name is None:
            raise _missing(part, config, tensors)
        shape = tuple(variable.shape)
        value = _value(tensors, name, part, shape, config)
        large_weights.assign(variable, value)


def _draw(layer: Any, variable: Any) -> None:
    """Gives a weight the value that it would have without any file."""
    if variable is layer.kernel:
        variable.assign(layer.kernel_initializer(variable.shape))


def _part(path: str, kind: str) -> _Part:
    layer, ending = path.rsplit("/", 1)
    own = layer.rsplit("/", 1)[-1]
    block = re.match(r"transformer_layer_(\d+)/", path)
    if block is None:
        return _Part(_EMBEDDINGS[own], ending, False)
    start, names = "encoder.layer", _BLOCKS
    if kind == "distilbert":
        start, names = "transformer.layer", _DISTILBERT_BLOCKS
    # These kernels are (width, heads, size), the others' inputs come first.
    reads_width = own in ("query", "key", "value")
    return _Part(f"{start}.{block[1]}.{names[own]}", ending, reads_width)


def _finder(
    config: CheckpointConfig, tensors: Tensors
) -> Callable[[str, str], str | None]:
    """Function from a name without prefix and ending to the file's name."""
    # TensorFlow's names have slashes, and layer_0 for layer.0.
    names = {_as_pytorch(name): name for name in tensors.shapes}
    prefixes = [
        name.removesuffix(ending).removesuffix(_WORDS)
        for ending in _ENDINGS["embeddings"]
        for name in names
        if name.endswith(_WORDS + ending)
    ]
    if not prefixes:
        raise _missing(_Part(_WORDS, "embeddings", False), config, tensors)
    # A second encoder in the file, if any, lies deeper.
    prefix = min(prefixes, key=len)

    def find(name: str, kind: str) -> str | None:
        for ending in _ENDINGS[kind]:
            if found := names.get(f"{prefix}{name}{ending}"):
                return found
        return None

    return find


def _as_pytorch(name: str) -> str:
    if "/" not in name:
        return name
    return re.sub(r"layer_(\d+)", r"layer.\1", name).replace("/", ".")


def _value(
    tensors: Tensors,
    name: str,
    part: _Part,
    shape: tuple[int, ...],
    config: CheckpointConfig,
) -> np.ndarray:
    expected = _expected_shape(name, part, shape, config)
    received = tensors.shapes[name]
    if received != expected:
        raise ValueError(
            f"{tensors.place(name)}: the tensor {name} has the wrong shape. "
            f"Received: {received}. Accepted: {expected}, by the sizes in "
            f"{config.path}."
        )
    value = tensors.read(name)
    if not np.isfinite(value).all():
        raise ValueError(
            f"{tensors.place(name)}: the tensor {name} holds infinite numbers "
            "or NaN. Accepted: finite ones. Is the file damaged?"
        )
    if part.kind == "kernel":
        return (value if "/" in name else value.T).reshape(shape)
    if part.name == _EMBEDDINGS["position_embedding"]:
        value = value[config.position_offset :]
        if config.position_offset and config.num_segments:
            value = value + _only_segment(tensors, config)
    return value.reshape(shape)


def _expected_shape(
    name: str, part: _Part, shape: tuple[int, ...], config: CheckpointConfig
) -> tuple[int, ...]:
    if part.kind == "kernel":
        # The output projection takes (heads, size) in.
        inputs = shape[0] if part.reads_width else int(np.prod(shape[:-1]))
        outputs = int(np.prod(shape)) // inputs
        return (inputs, outputs) if "/" in name else (outputs, inputs)
    if part.name == _EMBEDDINGS["position_embedding"]:
        return config.position_rows, shape[1]
    if part.kind == "embeddings":
        return shape
    return (int(np.prod(shape)),)


def _only_segment(tensors: Tensors, config: CheckpointConfig) -> np.ndarray:
    """The segment that RoBERTa and XLM-R add to every position."""
    name = _finder(config, tensors)(
        _EMBEDDINGS["segment_embedding"], "embeddings"
    )
    if name is None:
        return np.zeros(config.hidden_dim, np.float32)
    return tensors.read(name)[0]


def _missing(
    part: _Part, config: CheckpointConfig, tensors: Tensors
) -> ValueError:
    names = sorted(tensors.shapes)
    place = tensors.place(names[0]) if names else config.path.parent
    some = ", ".join(names[:3])
    return ValueError(
        f"{place} lacks the tensor {part.name}{_ENDINGS[part.kind][0]}. "
        f"Received: {len(names)} tensors, such as {some}. Accepted: the "
        f"weights of a {config.kind} encoder of {config.num_layers} blocks, "
        f"which {config.path.name} says it is."
    )
