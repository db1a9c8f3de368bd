"""Token arrays in little room, for files that travel."""

from typing import Any

import numpy as np

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL


def pack_arrays(arrays: TokenArrays) -> dict[str, np.ndarray]:
    """Takes token arrays apart into the smallest types that hold them.

    `unpack_arrays` gives back equal token arrays.
    """
    packed = {
        "token_ids": _shrink(arrays.token_ids),
        "row_lengths": _shrink(arrays.row_lengths),
        "labels": _shrink(_labels_that_count(arrays)),
    }
    if arrays.segment_ids.any():
        packed["segment_bits"] = np.packbits(arrays.segment_ids == 1)
    if arrays.label_mask is not None and arrays.word_splits is not None:
        packed["label_bits"] = np.packbits(arrays.label_mask)
        packed["word_counts"] = _shrink(np.diff(arrays.word_splits))
    return packed


def unpack_arrays(packed: dict[str, np.ndarray]) -> TokenArrays:
    """Puts together what `pack_arrays` took apart."""
    token_ids = packed["token_ids"].astype(np.int32)
    segment_ids = np.zeros(len(token_ids), np.int8)
    if "segment_bits" in packed:
        segment_ids[:] = _bits(packed["segment_bits"], len(token_ids))
    values: dict[str, Any] = {
        "token_ids": token_ids,
        "segment_ids": segment_ids,
        "row_splits": _splits(packed["row_lengths"]),
    }
    labels = packed["labels"].astype(np.int32)
    if "label_bits" not in packed:
        return TokenArrays(labels=labels, **values)
    mask = _bits(packed["label_bits"], len(token_ids)).astype(bool)
    by_piece = np.full(len(token_ids), IGNORED_LABEL, np.int32)
    by_piece[mask] = labels
    return TokenArrays(
        labels=by_piece,
        label_mask=mask,
        word_splits=_splits(packed["word_counts"]),
        **values,
    )


def gold_names(arrays: TokenArrays, labels: tuple[str, ...]) -> list:
    """Gold labels of token arrays, as `gold_labels` gives them of examples.

    Pairs: one name per example. Tagging: one list of names per sentence.
    """
    names = [labels[i] for i in _labels_that_count(arrays)]
    if arrays.word_splits is None:
        return names
    splits = arrays.word_splits
    return [names[a:b] for a, b in zip(splits[:-1], splits[1:], strict=True)]


def _labels_that_count(arrays: TokenArrays) -> np.ndarray:
    mask = arrays.label_mask
    return arrays.labels if mask is None else arrays.labels[mask]


def _shrink(values: np.ndarray) -> np.ndarray:
    """The values, none of them negative, in the smallest type."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def _splits(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(
        np.int64
    )


def _bits(packed: np.ndarray, count: int) -> np.ndarray:
    return np.unpackbits(packed, count=count)
