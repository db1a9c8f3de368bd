"""Tokenised examples as flat NumPy arrays, and how they are made."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlfa_tf.data import readers
from dlfa_tf.data.readers import Examples
from dlfa_tf.data.readers import TextExample
from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL
from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor

# Examples tokenised by one graph call. No more: TensorFlow keeps the memory of
# its largest batch.
_CHUNK = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenArrays:
    """Rows of pieces, concatenated.

    Attributes:
        token_ids: int32 `(pieces,)`, special ids included.
        segment_ids: int8 `(pieces,)`.
        row_splits: int64 `(rows + 1,)`; row i is `[splits[i], splits[i+1])`.
        labels: int32. Texts, pairs: `(rows,)`. Tagging: `(pieces,)`, -1 where
            there is no label.
        label_mask: bool `(pieces,)`, True at the one piece of every word that
            carries its label; None but for tagging.
        word_splits: int64 `(sentences + 1,)`, borders of the sentences in the
            list of all words; None but for tagging.
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    row_splits: np.ndarray
    labels: np.ndarray
    label_mask: np.ndarray | None = None
    word_splits: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.row_splits) - 1

    @property
    def row_lengths(self) -> np.ndarray:
        """Pieces of every row, int64 `(rows,)`."""
        return np.diff(self.row_splits)


def tokenize_examples(
    examples: Examples,
    preprocessor: PairPreprocessor | TaggingPreprocessor,
) -> TokenArrays:
    """Tokenises examples with the very ops of the model's preprocessor.

    Every word of every sentence gets exactly one label. No examples, or a label
    that is none of the preprocessor's, raise ValueError.
    """
    if not examples:
        raise ValueError("`examples` is empty. Accepted: one or more.")
    if isinstance(preprocessor, TaggingPreprocessor):
        return _tokenize_tagged(examples, preprocessor)
    return _tokenize_texts(examples, preprocessor)


def _chunks(examples: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(examples), _CHUNK):
        yield examples[start : start + _CHUNK]


def _label_ids(names: Sequence[str], labels: list[str] | None) -> list[int]:
    ids = {name: i for i, name in enumerate(labels or ())}
    unknown = sorted(set(names) - set(ids))
    if unknown:
        raise ValueError(
            "The examples have labels that the preprocessor does not know. "
            f"Received: {unknown}. Accepted (its `labels`): {labels}."
        )
    return [ids[name] for name in names]


def _splits(lengths: Any) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _tokenize_texts(
    examples: Sequence[Any], preprocessor: PairPreprocessor
) -> TokenArrays:
    labels = _label_ids([e.label for e in examples], preprocessor.labels)
    ids, segments, lengths = [], [], []
    for chunk in _chunks(examples):
        texts = zip(*map(readers.texts_of, chunk), strict=True)
        encode = (
            preprocessor.compiled_encode_text
            if isinstance(chunk[0], TextExample)
            else preprocessor.compiled_encode
        )
        rows = encode(*(tf.constant(column) for column in texts))
        ids.append(rows.token_ids.flat_values.numpy())
        segments.append(rows.segment_ids.flat_values.numpy().astype(np.int8))
        lengths.append(rows.token_ids.row_lengths().numpy())
    return TokenArrays(
        token_ids=np.concatenate(ids),
        segment_ids=np.concatenate(segments),
        row_splits=_splits(np.concatenate(lengths)),
        labels=np.array(labels, np.int32),
    )


def _tokenize_tagged(
    examples: Sequence[Any], preprocessor: TaggingPreprocessor
) -> TokenArrays:
    tags = [tag for example in examples for tag in example.tags]
    tag_ids = _label_ids(tags, preprocessor.labels)
    ids, masks, lengths = [], [], []
    for chunk in _chunks(examples):
        words = tf.RaggedTensor.from_row_lengths(
            # The type is named for a chunk without a single word.
            tf.constant([w for e in chunk for w in e.words], tf.string),
            [len(e.words) for e in chunk],
        )
        rows = preprocessor.compiled_encode(words)
        ids.append(rows.token_ids.flat_values.numpy())
        masks.append(rows.label_mask.flat_values.numpy())
        lengths.append(rows.token_ids.row_lengths().numpy())
    mask = np.concatenate(masks)
    labels = np.full(mask.shape, IGNORED_LABEL, np.int32)
    labels[mask] = tag_ids
    token_ids = np.concatenate(ids)
    return TokenArrays(
        token_ids=token_ids,
        segment_ids=np.zeros(token_ids.shape, np.int8),
        row_splits=_splits(np.concatenate(lengths)),
        labels=labels,
        label_mask=mask,
        word_splits=_splits([len(e.words) for e in examples]),
    )
