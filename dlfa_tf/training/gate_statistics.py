"""What the gate of a fused model does, in a few numbers."""

from typing import Any

import keras
import numpy as np

from dlfa_tf.data import pipelines
from dlfa_tf.training.preparing import Prepared

_ROWS = 32


class GateProbe:
    """Reads the gate of a model on the first rows of dev."""

    def __init__(self, model: Any, prepared: Prepared) -> None:
        fusion = model.backbone.get_layer("dlfa")
        low, high, mask = fusion.input
        gate = fusion.compute_gate(low, high, mask=mask)
        self._probe = keras.Model(model.input, [gate, low, high, fusion.output])
        rows = np.arange(min(_ROWS, len(prepared.dev)))
        self._features, _ = pipelines.pad_batch(
            prepared.dev,
            rows,
            prepared.pad_id,
            prepared.use_segment_ids,
            model.backbone.max_positions,
        )

    def __call__(self) -> dict[str, float]:
        """Statistics over real positions and all channels.

        They are `mean`, `sd` and `outside_share` (of values outside [0, 1]) of
        the gate, and the root mean square of the fused output (`rms_fused`), of
        the lower (`rms_low`) and of the last block (`rms_high`).
        """
        if keras.backend.backend() == "jax":
            # Compiled: one by one its ops would take seconds.
            outputs = self._probe.predict_on_batch(self._features)
        else:
            outputs = self._probe(self._features, training=False)
        real = self._features["padding_mask"]
        gate, low, high, fused = (
            np.asarray(keras.ops.cast(x, "float32"))[real] for x in outputs
        )
        values = {
            "mean": gate.mean(),
            "sd": gate.std(),
            "outside_share": ((gate < 0) | (gate > 1)).mean(),
            "rms_fused": np.sqrt(np.square(fused).mean()),
            "rms_low": np.sqrt(np.square(low).mean()),
            "rms_high": np.sqrt(np.square(high).mean()),
        }
        return {name: float(value) for name, value in values.items()}
