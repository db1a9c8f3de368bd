"""What users hand to `fit`: lists, tuples, data sets."""

import math
import sys
from typing import Any

import keras

from dlfa_tf.lazy import tf


def as_batch(values: Any) -> Any:
    """Turns a tuple of values into a list; to `tf.data` it is structure."""
    return list(values) if isinstance(values, tuple) else values


def check_batched(dataset: Any) -> None:
    """Refuses a `tf.data.Dataset` of single examples."""
    spec = dataset.element_spec
    if any(
        # A row of a ragged tensor, such as the words of one sentence.
        part.shape.rank == 0 or getattr(part, "ragged_rank", None) == 0
        for part in tf.nest.flatten(spec)
    ):
        raise ValueError(
            "A data set must hold batches. Received: elements of "
            f"{spec}. Accepted: `dataset.batch(batch_size)`."
        )


def examples_dataset(x: Any, y: Any, sample_weight: Any = None) -> Any:
    """Makes a `tf.data.Dataset` of single examples, ready to be batched."""
    return tf.data.Dataset.from_tensor_slices(
        keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
    )


def split_dataset(dataset: Any, validation_split: float) -> tuple[Any, Any]:
    """Takes the last share of a data set of single examples off.

    Returns the first part and the rest, neither of which may be empty.
    """
    count = int(dataset.cardinality())
    kept = math.floor(count * (1.0 - validation_split))
    if not 0 < kept < count:
        raise ValueError(
            "`validation_split` leaves no examples to train or to evaluate "
            f"on. Received: {validation_split} for {count} examples."
        )
    return dataset.take(kept), dataset.skip(kept)


def is_dataset(x: Any) -> bool:
    """Whether `x` is a data set or a loader, which brings its own batches."""
    # Nobody has one who has not imported TensorFlow.
    tensorflow = sys.modules.get("tensorflow")
    return (
        tensorflow is not None and isinstance(x, tensorflow.data.Dataset)
    ) or (
        hasattr(x, "__iter__")
        and not hasattr(x, "__len__")
        and not hasattr(x, "shape")
    )
