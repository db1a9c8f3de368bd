"""What users hand to `fit`: lists, columns, data sets."""

import math
import sys
from typing import Any

import keras

from dlfa_tf import raw_values
from dlfa_tf.lazy import tf

_DATASET = "a `tf.data.Dataset` of batches"


def is_dataset(x: Any) -> bool:
    """Whether `x` is a `tf.data.Dataset`."""
    # Nobody has one who has not imported TensorFlow.
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def check_no_loader(name: str, x: Any) -> None:
    """Refuses what yields batches but is no data set.

    What it yields cannot be looked at before training, and of batches of words
    and single sentences of words one cannot tell which they are.
    """
    yields = hasattr(x, "__next__") or (
        hasattr(x, "__iter__")
        and not hasattr(x, "__len__")
        and not hasattr(x, "shape")
        # Columns of Arrow and the like.
        and not hasattr(x, "to_pylist")
        and not isinstance(x, (set, frozenset))
    )
    of_keras = isinstance(x, keras.utils.PyDataset)
    of_torch = type(x).__module__.startswith("torch.utils.data")
    if _is_tensor(x) or is_dataset(x) or not (yields or of_keras or of_torch):
        return
    raise ValueError(
        f"`{name}` must be texts or a data set, not a loader of batches. "
        f"Received: {raw_values.described(x)}. Accepted: lists, or {_DATASET}; "
        "of a generator `tf.data.Dataset.from_generator(...)`; of an iterator "
        "that ends, such as `zip(texts, labels)`, lists of its items."
    )


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


def check_dataset(
    name: str,
    dataset: Any,
    *,
    others: dict[str, Any],
    with_labels: bool,
    steps: tuple[str, int | None] | None = None,
) -> None:
    """Refuses a data set that a method has no use for, before it is read.

    Args:
        name: str, name of the argument, for the message.
        dataset: `tf.data.Dataset`.
        others: arguments that a data set settles itself; all must be None.
        with_labels: bool, whether there must be labels.
        steps: name and value of the argument that ends an endless data set.

    Raises:
        ValueError: for single examples, for labels given twice or not at all,
            and when nothing would end.
    """
    check_batched(dataset)
    for other, value in others.items():
        if value is not None:
            raise ValueError(
                f"`{other}` must be None where `{name}` is a data set, which "
                f"brings it. Received: {raw_values.shown(value)}. Accepted: "
                f"{_DATASET} `(x, y)` or `(x, y, sample_weight)`."
            )
    spec = dataset.element_spec
    if with_labels and not (isinstance(spec, tuple) and len(spec) > 1):
        raise ValueError(
            f"`{name}` is a data set without labels. Received: elements of "
            f"{spec}. Accepted: batches `(x, y)`, of pairs "
            "`((first, second), y)`."
        )
    if isinstance(spec, tuple) and len(spec) > 3:
        raise ValueError(
            f"`{name}` is a data set of tuples of {len(spec)}. Received: "
            f"elements of {spec}. Accepted: `x`, `(x, y)`, `(x, y, "
            "sample_weight)`; a pair is one `x`, `(first, second)`."
        )
    endless = int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY
    if endless and steps is not None and steps[1] is None:
        raise ValueError(
            f"`{name}` is an endless data set, of which one pass never ends. "
            f"Received: {steps[0]}=None. Accepted: a number of `{steps[0]}`, "
            "or a data set without `.repeat()`."
        )


def text_batch(name: str, value: Any, accepted: str) -> Any:
    """One batch of texts: a list of str, or a tensor as it was given."""
    if _is_tensor(value):
        if value.dtype == tf.string and value.shape.rank == 1:
            return value
        raise ValueError(
            f"`{name}` must be a batch of texts; a single text must have a "
            f"batch dimension. Received: {raw_values.shown(value)}. Accepted: "
            f"{accepted}."
        )
    return raw_values.texts(name, value, accepted)


def count_examples(value: Any) -> int:
    """Number of examples of a batch, or of each batch of a pair."""
    if isinstance(value, dict):
        return count_examples(next(iter(value.values())))
    if _is_tensor(value):
        return int(value.shape[0])
    return len(value)


def _is_tensor(value: Any) -> bool:
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(
        value, (tensorflow.Tensor, tensorflow.RaggedTensor)
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


def unpack_validation_data(value: Any) -> tuple[Any, Any, Any]:
    """Inputs, labels and weights of `validation_data` that is no data set."""
    if not isinstance(value, (tuple, list)) or len(value) not in (2, 3):
        size = (
            f" ({len(value)} items)" if isinstance(value, (tuple, list)) else ""
        )
        raise ValueError(
            "`validation_data` must be inputs and labels. Received: "
            f"{raw_values.described(value)}{size}. Accepted: "
            "`(x, y)`, `(x, y, sample_weight)`, of pairs "
            f"`((first, second), y)`, or {_DATASET} `(x, y)`."
        )
    x, y, *rest = value
    return x, y, rest[0] if rest else None


def check_any(name: str, count: int) -> None:
    """Refuses no examples at all."""
    if not count:
        raise ValueError(
            f"`{name}` is empty. Received: no examples. Accepted: one or more."
        )


def check_given(name: str, value: Any) -> None:
    """Refuses labels that are not there."""
    if value is None:
        raise ValueError(
            f"`{name}` is missing. Received: None. Accepted: a label for every "
            f"example; or, in place of lists, {_DATASET} `(x, y)`."
        )
