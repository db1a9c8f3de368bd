"""Ragged rows of pieces: from words or texts to rows, from rows to tensors."""

from typing import Any
from typing import NamedTuple

from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing.piece_tokenizer import PieceTokenizer


class PairRows(NamedTuple):
    """Rows of a classification batch: int32 RaggedTensors `(batch, pieces)`."""

    token_ids: Any
    segment_ids: Any


class TaggingRows(NamedTuple):
    """Rows of a tagging batch; a long sentence has several.

    Attributes:
        token_ids: int32 RaggedTensor `(rows, pieces)`, special ids included.
        label_mask: bool RaggedTensor `(rows, pieces)`, True at the one piece
            of every word that carries its label, in the order of the words.
        row_sentence: int64 Tensor `(rows,)`, the sentence of each row.
    """

    token_ids: Any
    label_mask: Any
    row_sentence: Any


def pair_rows(
    first: Any, second: Any | None, tokenizer: PieceTokenizer, max_pieces: int
) -> PairRows:
    """Packs texts or pairs of texts into rows of at most `max_pieces`.

    A pair too long loses pieces from the end of the longer text, one at a time,
    from the second text when both are equally long (Hugging Face's
    `longest_first`, which the XTREME scripts used), written in closed form
    because TensorFlow Text's trimmers need a newer model server than the other
    ops do. Texts are strings `(batch,)`, `second` is None for single texts;
    `max_pieces` includes special ones.
    """
    a = tokenizer.tokenize(first)
    start = tf.fill([a.nrows(), 1], tokenizer.start_id)
    end = tf.fill([a.nrows(), 1], tokenizer.end_id)
    if second is None:
        token_ids = tf.concat([start, a[:, : max_pieces - 2], end], axis=1)
        return PairRows(token_ids, tf.zeros_like(token_ids))
    b = tokenizer.tokenize(second)
    separator = tf.tile([tokenizer.pair_separator], [a.nrows(), 1])
    budget = max_pieces - 2 - len(tokenizer.pair_separator)
    a, b = _truncate_longest_first(a, b, budget)
    head = tf.concat([start, a, separator], axis=1)
    tail = tf.concat([b, end], axis=1)
    segment_ids = tf.concat(
        [
            tf.zeros_like(head),
            tf.ones_like(tail) * tokenizer.second_segment,
        ],
        axis=1,
    )
    return PairRows(tf.concat([head, tail], axis=1), segment_ids)


def _truncate_longest_first(a: Any, b: Any, budget: int) -> tuple[Any, Any]:
    """Cuts two ragged batches so that each pair has `budget` pieces at most."""
    len_a = a.row_lengths()
    len_b = b.row_lengths()
    excess = tf.maximum(len_a + len_b - budget, 0)
    from_longer = tf.minimum(excess, tf.abs(len_a - len_b))
    rest = excess - from_longer
    longer_is_a = tf.cast(len_a > len_b, tf.int64)
    keep_a = len_a - from_longer * longer_is_a - rest // 2
    keep_b = len_b - from_longer * (1 - longer_is_a) - (rest + 1) // 2
    return _keep_first(a, keep_a), _keep_first(b, keep_b)


def _keep_first(ragged: Any, keep: Any) -> Any:
    """Keeps the first `keep[i]` values of row i."""
    position = _positions(ragged)
    mask = position < tf.gather(keep, ragged.value_rowids())
    return tf.ragged.boolean_mask(ragged, ragged.with_values(mask))


def _positions(ragged: Any) -> Any:
    """Position of every value of a ragged matrix within its row, int64."""
    index = tf.range(ragged.row_splits[-1])
    return index - tf.gather(ragged.row_starts(), ragged.value_rowids())


def tagging_rows(
    words: Any, tokenizer: PieceTokenizer, max_pieces: int, label_piece: str
) -> TaggingRows:
    """Tokenises words one by one and packs them into rows, losing none.

    A sentence of more than `max_pieces - 2` pieces goes on in a further row,
    which begins at a word border: a word starts a new row when it would pass
    the limit (greedy, no overlap; XTREME's rule). A word without pieces, or
    with more pieces than a row holds, becomes one unknown piece. A sentence
    without words has one row without words.

    `words` is a string RaggedTensor `(batch, words)`; `max_pieces` includes
    special ones. For `label_piece` see `TaggingPreprocessor`.
    """
    limit = max_pieces - 2
    pieces = _at_least_one_piece(
        tokenizer.tokenize(words.flat_values), tokenizer.unk_id, limit
    )
    mask = _label_mask(pieces, tokenizer.bare_space_id, label_piece)
    word_row, row_sentence = _assign_rows(
        words.with_flat_values(pieces.row_lengths()), limit
    )
    piece_row = tf.repeat(word_row, pieces.row_lengths())
    num_rows = tf.size(row_sentence, out_type=tf.int64)
    inner = tf.RaggedTensor.from_value_rowids(
        pieces.flat_values, piece_row, nrows=num_rows
    )
    edge = tf.ones([num_rows, 1], tf.int32)
    no_label = tf.zeros([num_rows, 1], tf.bool)
    return TaggingRows(
        tf.concat(
            [edge * tokenizer.start_id, inner, edge * tokenizer.end_id], axis=1
        ),
        tf.concat([no_label, inner.with_values(mask), no_label], axis=1),
        row_sentence,
    )


def _at_least_one_piece(pieces: Any, unk_id: int, limit: int) -> Any:
    """Makes words with no piece, or with too many, one unknown piece."""
    lengths = pieces.row_lengths()
    unknown = (lengths == 0) | (lengths > limit)
    kept = tf.ragged.boolean_mask(
        pieces,
        pieces.with_values(~tf.gather(unknown, pieces.value_rowids())),
    )
    filler = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.reduce_sum(tf.cast(unknown, tf.int32))], unk_id),
        tf.cast(unknown, tf.int64),
    )
    return tf.concat([kept, filler], axis=1)


def _label_mask(pieces: Any, bare_space_id: int | None, rule: str) -> Any:
    """True at the piece of each word that carries its label, `(pieces,)`."""
    position = _positions(pieces)
    if rule == "first" or bare_space_id is None:
        return position == 0
    far = position.dtype.max
    content = tf.where(pieces.flat_values == bare_space_id, far, position)
    chosen = tf.reduce_min(pieces.with_values(content), axis=1)
    # A word that is nothing but "▁" keeps its label there.
    chosen = tf.where(chosen == far, tf.zeros_like(chosen), chosen)
    return position == tf.gather(chosen, pieces.value_rowids())


def _assign_rows(piece_counts: Any, limit: int) -> tuple[Any, Any]:
    """Row of every word and sentence of every row, by greedy filling.

    `piece_counts` is an int64 RaggedTensor `(batch, words)`, each in 1..limit.
    The results are int64: `(words,)`, rows counted over the whole batch, and
    `(rows,)`.
    """
    far = tf.int64.max // 2
    counts = piece_counts.to_tensor(0)
    batch = tf.shape(counts)[0]
    # One column of padding so that a batch of empty sentences has a column.
    ends = tf.pad(tf.cumsum(counts, axis=1), [[0, 0], [0, 1]])
    real = tf.sequence_mask(piece_counts.row_lengths(), tf.shape(ends)[1])
    ends = tf.where(real, ends, far)
    total = tf.reduce_sum(piece_counts, axis=1)

    def more(start: Any, _: Any) -> Any:
        return tf.reduce_any(start + limit < total)

    def next_row(start: Any, borders: Any) -> tuple[Any, Any]:
        # First word that ends past the row; the row ends where it starts.
        word = tf.searchsorted(ends, (start + limit)[:, None], side="right")
        previous = tf.gather(ends, tf.maximum(word - 1, 0), batch_dims=1)[:, 0]
        done = start + limit >= total
        start = tf.where(done, start, previous)
        border = tf.where(done, far, start)
        return start, tf.concat([borders, border[:, None]], axis=1)

    start = tf.zeros([batch], tf.int64)
    _, borders = tf.while_loop(
        more,
        next_row,
        (start, tf.zeros([batch, 0], tf.int64)),
        shape_invariants=(
            tf.TensorShape([None]),
            tf.TensorShape([None, None]),
        ),
    )
    starts = tf.cumsum(counts, axis=1, exclusive=True)
    row_in_sentence = tf.cast(
        tf.searchsorted(borders, starts, side="right"), tf.int64
    )
    rows = 1 + tf.reduce_sum(tf.cast(borders < far, tf.int64), axis=1)
    first_row = tf.cumsum(rows, exclusive=True)
    word_sentence = piece_counts.value_rowids()
    word_row = tf.gather(first_row, word_sentence) + tf.boolean_mask(
        row_in_sentence, real[:, :-1]
    )
    return word_row, tf.repeat(tf.range(tf.size(rows, tf.int64)), rows)
