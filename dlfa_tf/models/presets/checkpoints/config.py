"""Sizes and activation of an encoder, as a checkpoint's config has them."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dlfa_tf import checks

KINDS = ("bert", "distilbert", "xlm-roberta", "roberta")

# `gelu` is the exact form also in Google's config: mBERT was published with
# code that computed it so, and its other copies say the same.
_ACTIVATIONS = MappingProxyType(
    {
        "gelu": "gelu",
        "gelu_python": "gelu",
        "gelu_new": "gelu_tanh",
        "gelu_fast": "gelu_tanh",
        "gelu_pytorch_tanh": "gelu_tanh",
        "gelu_python_tanh": "gelu_tanh",
        "gelu_accurate": "gelu_tanh",
        "relu": "relu",
        "silu": "silu",
        "swish": "silu",
    }
)
_BERT_KEYS = MappingProxyType(
    {
        "vocabulary_size": "vocab_size",
        "num_layers": "num_hidden_layers",
        "num_heads": "num_attention_heads",
        "hidden_dim": "hidden_size",
        "intermediate_dim": "intermediate_size",
        "positions": "max_position_embeddings",
        "dropout": "hidden_dropout_prob",
        "activation": "hidden_act",
    }
)
_DISTILBERT_KEYS = MappingProxyType(
    {
        **_BERT_KEYS,
        "num_layers": "n_layers",
        "num_heads": "n_heads",
        "hidden_dim": "dim",
        "intermediate_dim": "hidden_dim",
        "dropout": "dropout",
        "activation": "activation",
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """What a checkpoint's config says of its encoder.

    Dropout is that of the hidden states; keras-hub has the same one for
    attention.

    Attributes:
        path: file that it was read from.
        kind: one of `KINDS`.
        vocabulary_size: rows of the token embedding.
        num_layers: number of blocks.
        num_heads: heads of the attention.
        hidden_dim: width.
        intermediate_dim: width inside the feed-forward layers.
        num_positions: positions for tokens.
        position_offset: rows of the position embedding before the first one
            (RoBERTa and XLM-R keep 2).
        num_segments: rows of the segment embedding.
        dropout: share of zeros in training.
        activation: name in `checkpoint_encoders.ACTIVATIONS`.
        layer_norm_epsilon: of all layer norms.
        keys: from names of sizes here to those in the file.
    """

    path: Path
    kind: str
    vocabulary_size: int
    num_layers: int
    num_heads: int
    hidden_dim: int
    intermediate_dim: int
    num_positions: int
    position_offset: int
    num_segments: int
    dropout: float
    activation: str
    layer_norm_epsilon: float
    keys: Mapping[str, str]

    @property
    def position_rows(self) -> int:
        """Rows of the position embedding."""
        return self.num_positions + self.position_offset


def is_config(values: Any) -> bool:
    """Whether the content of a JSON file describes such an encoder.

    Configs of 2019 do not say their `model_type`.

    Args:
        values: what the file holds.

    Returns:
        bool.
    """
    return isinstance(values, dict) and (
        "model_type" in values or {"hidden_size", "vocab_size"} <= set(values)
    )


def parse_config(values: Mapping[str, Any], path: Path) -> CheckpointConfig:
    """Reads the content of a `config.json` or a `bert_config.json`.

    Args:
        values: dict of what the file holds.
        path: the file, for errors.

    Returns:
        `CheckpointConfig`.

    Raises:
        ValueError: names the file, the key and what is accepted.
    """
    kind = values.get("model_type", "bert")
    if kind not in KINDS:
        raise ValueError(
            f"{path}: `model_type` is no encoder that is read here. Received: "
            f"{kind!r}. Accepted: {', '.join(KINDS)}."
            + checks.nearest_hint(str(kind), KINDS)
        )
    keys = _DISTILBERT_KEYS if kind == "distilbert" else _BERT_KEYS
    sizes = {
        name: _size(values, keys[name], path)
        for name in (
            "vocabulary_size", "num_layers", "num_heads", "hidden_dim",
            "intermediate_dim", "positions",
        )
    }  # fmt: skip
    positions = sizes.pop("positions")
    if sizes["hidden_dim"] % sizes["num_heads"]:
        raise ValueError(
            f"{path}: `{keys['hidden_dim']}` must be a multiple of "
            f"`{keys['num_heads']}`. Received: {sizes['hidden_dim']} and "
            f"{sizes['num_heads']}."
        )
    _check_positions(values, path)
    is_roberta = kind in ("roberta", "xlm-roberta")
    # Their positions begin after the id of padding.
    offset = int(values.get("pad_token_id") or 1) + 1 if is_roberta else 0
    return CheckpointConfig(
        path=path,
        kind=kind,
        **sizes,
        num_positions=positions - offset,
        position_offset=offset,
        num_segments=(
            0 if kind == "distilbert" else int(values.get("type_vocab_size", 2))
        ),
        dropout=float(values.get(keys["dropout"], 0.1)),
        activation=_activation(values, keys["activation"], path),
        layer_norm_epsilon=(
            1e-12
            if kind == "distilbert"
            else float(values.get("layer_norm_eps", 1e-12))
        ),
        keys=keys,
    )


def _size(values: Mapping[str, Any], key: str, path: Path) -> int:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f"{path}: `{key}` must be a number of 1 or more. Received: "
            f"{'nothing' if value is None else repr(value)}."
        )
    return value


def _check_positions(values: Mapping[str, Any], path: Path) -> None:
    kind = values.get("position_embedding_type", "absolute")
    if kind != "absolute":
        raise ValueError(
            f"{path}: `position_embedding_type` is not read here. Received: "
            f"{kind!r}. Accepted: 'absolute'."
        )


def _activation(values: Mapping[str, Any], key: str, path: Path) -> str:
    name = values.get(key, "gelu")
    if name not in _ACTIVATIONS:
        raise ValueError(
            f"{path}: `{key}` is an activation that is not computed here. "
            f"Received: {name!r}. Accepted: {', '.join(_ACTIVATIONS)}."
            + checks.nearest_hint(str(name), _ACTIVATIONS)
        )
    return _ACTIVATIONS[name]
