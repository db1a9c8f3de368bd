"""Token arrays -> logits -> label names."""

import functools
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from dlfa_tf.data import pipelines
from dlfa_tf.data.arrays import TokenArrays


def predict_logits(
    model: Any,
    arrays: TokenArrays,
    *,
    batch_size: int,
    pad_id: int,
    use_segment_ids: bool,
    forward: Callable[[dict[str, Any]], Any] | None = None,
) -> np.ndarray:
    """Runs a task model over token arrays, shortest rows first.

    Gives float32 `(rows, classes)` for pairs, `(words, classes)` for tagging,
    in the order of the examples. `forward` goes from a batch of features to
    logits; None is the model's `predict_on_batch`.
    """
    # keras-hub's own method would run the preprocessor on the arrays.
    forward = forward or functools.partial(keras.Model.predict_on_batch, model)
    mask = arrays.label_mask
    # Number of words up to and including each piece.
    words_so_far = None if mask is None else np.cumsum(mask)
    count = len(arrays) if words_so_far is None else int(words_so_far[-1])
    result = np.zeros((count, model.num_classes), np.float32)
    for rows, features in feature_batches(
        arrays,
        batch_size,
        pad_id,
        use_segment_ids,
        model.backbone.max_positions,
    ):
        logits = forward(features)
        if mask is None or words_so_far is None:
            result[rows] = logits
            continue
        for row, row_logits in zip(rows, np.asarray(logits), strict=True):
            pieces = slice(arrays.row_splits[row], arrays.row_splits[row + 1])
            at = mask[pieces]
            words = words_so_far[pieces][at] - 1
            result[words] = row_logits[: len(at)][at]
    return result


def feature_batches(
    arrays: TokenArrays,
    batch_size: int,
    pad_id: int,
    use_segment_ids: bool,
    max_width: int | None = None,
) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Yields (rows, inputs of the encoder as tensors), shortest rows first."""
    order = np.argsort(arrays.row_lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        features, _ = pipelines.pad_batch(
            arrays, rows, pad_id, use_segment_ids, max_width
        )
        yield (
            rows,
            {
                name: keras.ops.convert_to_tensor(value)
                for name, value in features.items()
            },
        )


def label_names(
    logits: np.ndarray, arrays: TokenArrays, labels: tuple[str, ...]
) -> list[Any]:
    """Turns the logits of `predict_logits` into label names; label i has id i.

    Pairs: one name per example. Tagging: one list of names per sentence.
    """
    names = [labels[i] for i in logits.argmax(-1)]
    if arrays.word_splits is None:
        return names
    splits = arrays.word_splits
    return [names[a:b] for a, b in zip(splits[:-1], splits[1:], strict=True)]
