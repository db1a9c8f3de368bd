"""Texts to rows of pieces: joined until a row is full, nothing lost."""

import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing import text_cleaning
from dlfa_tf.preprocessing.piece_tokenizer import PieceTokenizer

# Texts tokenised by one call.
_CHUNK = 256
# A tokenizer reads no more characters of a text than some thousands.
_LONGEST = 4000


def pack_texts(
    texts: Mapping[str, Iterable[str]],
    pieces: PieceTokenizer,
    sequence_length: int,
) -> TokenArrays:
    """Tokenises texts of several languages into rows of equal length.

    The texts of a language are joined, an end piece after each, and cut every
    `sequence_length - 2` pieces, as RoBERTa's FULL-SENTENCES and Hugging
    Face's run_mlm do; every row gets its two special pieces. The last row of a
    language may be shorter.

    Args:
        texts: from language to its texts.
        pieces: `PieceTokenizer` of the encoder.
        sequence_length: int, pieces per row, special ones included.

    Returns:
        `TokenArrays` whose `labels`, int32 `(rows,)`, are the places of the
        languages in `texts`.

    Raises:
        ValueError: when a language has no text.

    Reference:
        - Liu et al. 2019, RoBERTa, section 4.2.
    """
    tokenize = tf.function(
        lambda x: pieces.tokenize(text_cleaning.valid_utf8(x)),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    rows: list[np.ndarray] = []
    languages: list[int] = []
    for i, (language, own) in enumerate(texts.items()):
        stream = _stream(own, tokenize, pieces.end_id)
        if not len(stream):
            raise ValueError(
                f"`texts` has no text in a language. Received: {language!r}, "
                "whose files are empty. Accepted: a text or more."
            )
        before = len(rows)
        for start in range(0, len(stream), sequence_length - 2):
            content = stream[start : start + sequence_length - 2]
            rows.append(
                np.concatenate([[pieces.start_id], content, [pieces.end_id]])
            )
        languages += [i] * (len(rows) - before)
    token_ids = np.concatenate(rows).astype(np.int32)
    return TokenArrays(
        token_ids=token_ids,
        segment_ids=np.zeros(token_ids.shape, np.int8),
        row_splits=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        labels=np.array(languages, np.int32),
    )


def _stream(
    texts: Iterable[str], tokenize: tf.function, end: int
) -> np.ndarray:
    """Pieces of all texts, an end piece after each."""
    found = [np.zeros(0, np.int32)]
    parts = itertools.chain.from_iterable(map(_parts, texts))
    while chunk := list(itertools.islice(parts, _CHUNK)):
        ragged = tokenize(tf.constant([text for text, _ in chunk]))
        ids, splits = ragged.values.numpy(), ragged.row_splits.numpy()
        ends = splits[1:][[is_last for _, is_last in chunk]]
        found.append(np.insert(ids, ends, end))
    return np.concatenate(found)


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """A text in parts short enough to be read whole; whether it is the last."""
    start = 0
    while len(text) - start > _LONGEST:
        at = text.rfind(" ", start + 1, start + _LONGEST)
        end = start + _LONGEST if at < 0 else at
        yield text[start:end], False
        start = end
    yield text[start:], True
