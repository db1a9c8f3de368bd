"""NumPy reference of the paper's equations, written from the paper.

It shares no code with the layers: arrays in float64, loops over branches by
name, weights looked up by their path below the layer.
"""

import types

import numpy as np
import pytest

EPSILON = 1e-5


def _layer_norm(weights, name, x):
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    x = (x - mean) / np.sqrt(variance + EPSILON)
    return x * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def _batch_norm(weights, name, x, real, training):
    if training:
        rows = x[real]
        mean, variance = rows.mean(axis=0), rows.var(axis=0)
    else:
        mean = weights[f"{name}/moving_mean"]
        variance = weights[f"{name}/moving_variance"]
    x = (x - mean) / np.sqrt(variance + EPSILON)
    return x * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def _dense(weights, name, x):
    return x @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0.0)


def _pool(x, mask, pooling):
    if pooling == "first":
        return x[:, 0]
    rows = [row[real] for row, real in zip(x, mask, strict=True)]
    zeros = np.zeros(x.shape[-1])
    return np.stack([row.mean(axis=0) if len(row) else zeros for row in rows])


def branch(
    weights,
    x,
    mask=None,
    scope="local",
    norm="layer",
    pooling="mean",
    activation="relu",
    training=False,
):
    """One branch: pool if global, then dense, norm, activation, dense, norm."""
    x = np.asarray(x, "float64")
    real = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask)
    if scope == "global":
        x = _pool(x, real, pooling)[:, None]
        real = real.any(axis=1, keepdims=True)

    def normalise(name, values):
        if norm == "layer":
            return _layer_norm(weights, name, values)
        if norm == "batch":
            return _batch_norm(weights, name, values, real, training)
        return values

    x = normalise("reduce_norm", _dense(weights, "reduce", x))
    x = np.maximum(x, 0) if activation == "relu" else np.tanh(x)
    return normalise("expand_norm", _dense(weights, "expand", x))


def _below(weights, prefix):
    return {
        path.removeprefix(prefix): value
        for path, value in weights.items()
        if path.startswith(prefix)
    }


def aif(weights, x, mask=None, gate="feature", **options):
    """Equation 1; `gate="attention"` leaves the product with x out."""
    x = np.asarray(x, "float64")
    total = sum(
        branch(_below(weights, f"{scope}_branch/"), x, mask, scope, **options)
        for scope in ("local", "global")
    )
    sigmoid = 1 / (1 + np.exp(-total))
    return sigmoid if gate == "attention" else x * sigmoid


def dlfa(weights, low, high, mask=None, mix_factor=1.0, first="low", **options):
    """Equation 2, with L1 = low unless `first="high"`."""
    low, high = np.asarray(low, "float64"), np.asarray(high, "float64")
    gate = aif(_below(weights, "aif/"), (low + high) / 2, mask, **options)
    if first == "low":
        return mix_factor * (low * gate + high * (1 - gate))
    return mix_factor * (high * gate + low * (1 - gate))


def weights_of(layer):
    """Weights of a layer as float64 arrays by their path below it."""
    return {
        weight.path.removeprefix(f"{layer.name}/"): weight.numpy().astype(
            "float64"
        )
        for weight in layer.weights
    }


def shake(layer):
    """Moves every weight away from its special start value, upwards.

    A fresh gamma of 1 or beta of 0 would hide that it is left out, and a
    variance must stay positive.
    """
    rng = np.random.default_rng(3)
    for weight in layer.weights:
        value = weight.numpy()
        weight.assign(value + rng.uniform(0.05, 0.6, value.shape))


@pytest.fixture(scope="session")
def reference() -> types.SimpleNamespace:
    """The reference functions, as attributes."""
    return types.SimpleNamespace(
        branch=branch, aif=aif, dlfa=dlfa, weights_of=weights_of, shake=shake
    )


@pytest.fixture
def low() -> np.ndarray:
    """A float32 array `(3, 5, 8)`."""
    return np.random.default_rng(1).normal(size=(3, 5, 8)).astype("float32")


@pytest.fixture
def high() -> np.ndarray:
    """Another float32 array `(3, 5, 8)`."""
    return np.random.default_rng(2).normal(size=(3, 5, 8)).astype("float32")


@pytest.fixture
def mask() -> np.ndarray:
    """A mask `(3, 5)` with 5, 3 and 1 real tokens."""
    return np.arange(5)[None, :] < np.array([[5], [3], [1]])
