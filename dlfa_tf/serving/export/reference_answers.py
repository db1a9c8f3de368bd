"""What a Keras model answers itself, to hold the answers of its export to.

An export computes in its own way, and the session optimises that once more:
TensorFlow 2.20 has read wrong weights in an op that it had fused, and answered
wrong by units without an error.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.models.task import LOGITS_NAME
from dlfa_tf.serving.export.served_forward import KerasForward

# Largest difference of a probability, or of a number of an embedding (where
# numbers above 1 occur: of the largest of them); exports of `e5_small_multi`
# stayed below. In float32, only sums are in another order.
TOLERANCE = 1e-4
# bfloat16 rounds every product to 8 bits, TF32 to 11, and what is fused is
# rounded less often.
LOW_TOLERANCE = 0.1
# Where every layer's inputs are rounded to one of 255 steps, the least
# difference becomes a whole step here and there.
INT8_TOLERANCE = 0.3
_LOW_DTYPES = {"bfloat16", "float16"}

Inputs = Mapping[str, np.ndarray]


def tolerance_of(model: Any) -> float:
    """How far an export may be from its model, by what both compute in."""
    layers = [*model.backbone._flatten_layers(), model.get_layer(LOGITS_NAME)]
    if any(getattr(x, "inputs_quantizer", None) is not None for x in layers):
        return INT8_TOLERANCE
    low = any(layer.compute_dtype in _LOW_DTYPES for layer in layers)
    # Graphics processors round float32 products unless they are told not to.
    tf32 = (
        tf.config.experimental.tensor_float_32_execution_enabled()
        and tf.config.list_physical_devices("GPU")
    )
    return LOW_TOLERANCE if low or tf32 else TOLERANCE


class ReferenceAnswers:
    """Computes answers outside of any graph, one example at a time.

    `build` makes the functions of an export, by signature, of a forward pass
    from features to logits and sentence vector; `kept_ids` are the pieces that
    the export knows, None for all.
    """

    def __init__(
        self,
        model: Any,
        build: Callable[[Any], dict[str, Any]],
        kept_ids: np.ndarray | None = None,
    ) -> None:
        self._tolerance = tolerance_of(model)
        self._keras = KerasForward(model)
        self._kept_ids = kept_ids
        self._unknown = model.preprocessor.pieces.unk_id
        self._functions = build(self._forward)
        self._computed: dict[Any, Any] = {}
        self._answers: dict[Any, dict[str, np.ndarray]] = {}

    def problems(
        self, signature: str, inputs: Inputs, answers: Inputs
    ) -> Iterator[str]:
        """Says where `answers` of an export are not those of the model.

        Both are arrays by name, as `ServedGraph.run` takes and returns them.
        """
        furthest: dict[str, float] = {}
        for i in range(len(next(iter(inputs.values())))):
            example = {name: value[i : i + 1] for name, value in inputs.items()}
            expected = self._answer(signature, example)
            for name, value in expected.items():
                found = answers[name][i : i + 1]
                if "length" in expected and found.ndim > 1:
                    # A batch is as wide as its longest text.
                    found = found[:, : value.shape[1]]
                distance = self._distance(name, found, expected)
                # NaN is kept: no comparison with it is true.
                if not distance <= furthest.get(name, 0.0):
                    furthest[name] = distance
        for name, distance in furthest.items():
            if not distance <= self._tolerance:
                yield (
                    f"{name!r} is not what the model answers, by up to "
                    f"{distance:.3g}; accepted: {self._tolerance}"
                )

    def _distance(
        self, name: str, found: np.ndarray, expected: dict[str, np.ndarray]
    ) -> float:
        wanted = expected[name]
        if found.shape != wanted.shape:
            return np.inf
        if not wanted.size:
            return 0.0
        if wanted.dtype.kind == "f":
            scale = max(1.0, float(np.max(np.abs(wanted))))
            return float(np.max(np.abs(found - wanted))) / scale
        differs = found != wanted
        if name in ("tags", "label"):
            # With more than half there is no doubt which label it is.
            scores = expected.get("scores")
            if scores is None:
                scores = expected["probabilities"].max(-1)
            differs &= scores > 0.5 + self._tolerance
        return np.inf if differs.any() else 0.0

    def _answer(self, signature: str, example: Inputs) -> dict[str, np.ndarray]:
        """The answer to one example; the same one is asked many times."""
        key = (signature, *(repr(x.tolist()) for x in example.values()))
        if key not in self._answers:
            function = self._functions[signature].python_function
            found = function(**{k: tf.constant(v) for k, v in example.items()})
            self._answers[key] = {k: v.numpy() for k, v in found.items()}
        return self._answers[key]

    def _forward(
        self, features: dict[str, Any], read: str | None = None
    ) -> tuple[Any, Any]:
        """What signatures need of the same rows is computed once."""
        del read
        if self._kept_ids is not None:
            ids = features["token_ids"].numpy()
            known = np.isin(ids, self._kept_ids)
            read = tf.constant(np.where(known, ids, self._unknown), tf.int32)
            features = {**features, "token_ids": read}
        key = tuple(
            (name, value.shape, value.numpy().tobytes())
            for name, value in sorted(features.items())
        )
        if key not in self._computed:
            self._computed[key] = self._keras(features)
        return self._computed[key]
