"""Exports over the pieces of given texts instead of a whole vocabulary.

Four fifths of the weights of `e5_small_multi` are embeddings of 250,000 pieces
of a hundred languages; a service in few languages meets a fraction of them.
"""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.models import compact_model
from dlfa_tf.preprocessing import text_cleaning

_LINES_AT_A_TIME = 1000


def pieces_of_texts(preprocessor: Any, lines: Iterable[bytes]) -> np.ndarray:
    """Ids of the pieces that occur in texts, and of the special ones.

    int32 `(kept,)`, sorted. Texts, UTF-8, are read whole and word by word,
    because taggers tokenise words one by one.
    """
    pieces = preprocessor.pieces
    # Separators of pairs are ends.
    found = [np.array(pieces.special_ids, np.int32)]
    rest = iter(lines)
    while batch := list(itertools.islice(rest, _LINES_AT_A_TIME)):
        texts = text_cleaning.valid_utf8(tf.constant(batch))
        for strings in (
            texts,
            tf.unique(text_cleaning.split_words(texts).flat_values).y,
        ):
            ids = pieces.tokenize(strings).flat_values
            found.append(np.unique(ids.numpy()))
    return np.unique(np.concatenate(found)).astype(np.int32)


class KeptVocabulary:
    """A model over some pieces, and the way from a piece's id to its row.

    `kept` is int `(kept,)`, sorted ids, the special ones among them; all
    others are read as the unknown piece. `model` has no preprocessor; `rows`
    is a `tf.Variable` `(vocabulary,)` int32, the row of every id. ValueError
    when `kept` lacks padding or the unknown piece, or holds an id beyond the
    vocabulary.
    """

    def __init__(self, model: Any, kept: np.ndarray) -> None:
        size = model.backbone.token_embedding.input_dim
        pieces = model.preprocessor.pieces
        missing = {pieces.pad_id, pieces.unk_id} - set(kept.tolist())
        if missing or not (0 <= kept.min() and kept.max() < size):
            raise ValueError(
                "`kept` must hold ids of the vocabulary, padding and the "
                f"unknown piece among them. Received: {len(kept)} ids from "
                f"{kept.min()} to {kept.max()}, without {sorted(missing)}; "
                f"the vocabulary has {size}."
            )
        rows = np.full(size, np.searchsorted(kept, pieces.unk_id), np.int32)
        rows[kept] = np.arange(len(kept))
        self.model = compact_model.compact_model(model, kept)
        self.rows = tf.Variable(rows, trainable=False, name="kept_rows")

    def features(self, features: dict[str, Any]) -> dict[str, Any]:
        """Features of the small model for those of the full one.

        Only `token_ids`, int32 `(rows, time)`, changes, to rows of the
        embedding.
        """
        token_ids = tf.gather(self.rows, features["token_ids"])
        return {**features, "token_ids": token_ids}
