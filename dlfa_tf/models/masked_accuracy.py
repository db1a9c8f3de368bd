"""Accuracy over the positions that have a label."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="dlfa_tf")
class MaskedAccuracy(keras.metrics.SparseCategoricalAccuracy):
    """Share of labelled positions whose highest logit is at the label.

    Positions with the ignored label count in neither numerator nor
    denominator. Keras 3.15's `SparseCategoricalAccuracy` knows no
    `ignore_class`: it counts label -1 as wrong (keras PR#22284 adds it later).

    Args:
        ignored_label: int, label of positions that do not count. Defaults to
            `-1`.
        name: str. Defaults to `"accuracy"`.
        dtype: dtype of the result.

    Example:
        from dlfa_tf.models import MaskedAccuracy

        metric = MaskedAccuracy()
        metric.update_state([[1, -1]], [[[0.0, 1.0], [1.0, 0.0]]])
        float(metric.result())  # 1.0
    """

    def __init__(
        self,
        ignored_label: int = -1,
        name: str = "accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.ignored_label = ignored_label

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> Any:
        """Adds a batch: labels `(...,)` and logits `(..., classes)`.

        `sample_weight` is of the shape of the labels, or leaves out axes at
        its end, as one weight per example does.
        """
        y_true = ops.convert_to_tensor(y_true)
        labelled = ops.not_equal(y_true, self.ignored_label)
        labelled = ops.cast(labelled, "float32")
        if sample_weight is not None:
            weight = ops.convert_to_tensor(sample_weight, "float32")
            for _ in range(len(labelled.shape) - len(weight.shape)):
                weight = ops.expand_dims(weight, -1)
            labelled = labelled * weight
        return super().update_state(y_true, y_pred, sample_weight=labelled)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            "ignored_label": self.ignored_label,
            "name": self.name,
            "dtype": self.dtype,
        }
