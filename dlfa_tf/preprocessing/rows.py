"""Ragged rows of pieces: from words or texts to rows, from rows to tensors."""

from typing import Any
from typing import NamedTuple

from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing import ragged_parts
from dlfa_tf.preprocessing.piece_tokenizer import PieceTokenizer
from dlfa_tf.preprocessing.ragged_parts import Parts


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
        word_splits: int64 Tensor `(rows + 1,)`, the words before each border
            of rows.
    """

    token_ids: Any
    label_mask: Any
    row_sentence: Any
    word_splits: Any


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
    if second is None:
        kept = tf.minimum(a.row_lengths(), max_pieces - 2)
        ids = _framed(a.flat_values, a.row_starts(), kept, tokenizer)
        return PairRows(ids, tf.zeros_like(ids))
    b = tokenizer.tokenize(second)
    separator = tokenizer.pair_separator
    # Refuses, unlike arithmetic, one text on one side and several on the other.
    lengths = tf.stack([a.row_lengths(), b.row_lengths()])
    kept_a, kept_b = _truncate_longest_first(
        lengths[0], lengths[1], max_pieces - 2 - len(separator)
    )
    size_a = tf.size(a.flat_values, tf.int64)
    special = size_a + tf.size(b.flat_values, tf.int64)
    one = tf.ones_like(kept_a)
    parts = ragged_parts.parts_of(
        [
            one * special,
            a.row_starts(),
            one * (special + 2),
            size_a + b.row_starts(),
            one * (special + 1),
        ],
        [one, kept_a, one * len(separator), kept_b, one],
    )
    ends = [tokenizer.start_id, tokenizer.end_id, *separator]
    ids = tf.gather(
        tf.concat([a.flat_values, b.flat_values, ends], axis=0), parts.index
    )
    segments = tf.cast(parts.number >= 3, tf.int32) * tokenizer.second_segment
    return PairRows(
        ragged_parts.ragged(ids, parts.row_splits),
        ragged_parts.ragged(segments, parts.row_splits),
    )


def _truncate_longest_first(
    len_a: Any, len_b: Any, budget: int
) -> tuple[Any, Any]:
    """Cuts two batches of lengths so that each pair has `budget` at most."""
    excess = tf.maximum(len_a + len_b - budget, 0)
    from_longer = tf.minimum(excess, tf.abs(len_a - len_b))
    rest = excess - from_longer
    longer_is_a = tf.cast(len_a > len_b, tf.int64)
    keep_a = len_a - from_longer * longer_is_a - rest // 2
    keep_b = len_b - from_longer * (1 - longer_is_a) - (rest + 1) // 2
    return keep_a, keep_b


def _framed(
    values: Any, starts: Any, lengths: Any, tokenizer: PieceTokenizer
) -> Any:
    """Slices of piece ids between the pieces that begin and end a row."""
    ends = [tokenizer.start_id, tokenizer.end_id]
    parts = _frame(tf.size(values, tf.int64), starts, lengths)
    ids = tf.gather(tf.concat([values, ends], axis=0), parts.index)
    return ragged_parts.ragged(ids, parts.row_splits)


def _frame(size: Any, starts: Any, lengths: Any) -> Parts:
    """Slices of a vector of `size`, between its next value and that after."""
    one = tf.ones_like(starts)
    return ragged_parts.parts_of(
        [one * size, starts, one * (size + 1)], [one, lengths, one]
    )


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
    pieces = tokenizer.tokenize(words.flat_values)
    lengths = pieces.row_lengths()
    # A word with no piece, or with too many, becomes one unknown piece.
    unknown = (lengths == 0) | (lengths > limit)
    lengths = tf.where(unknown, tf.ones_like(lengths), lengths)
    after_all = tf.size(pieces.flat_values, tf.int64)
    of_words = ragged_parts.parts_of(
        [tf.where(unknown, after_all, pieces.row_starts())], [lengths]
    )
    ids = tf.gather(
        tf.concat([pieces.flat_values, [tokenizer.unk_id]], axis=0),
        of_words.index,
    )
    mask = _label_mask(ids, of_words, tokenizer.bare_space_id, label_piece)
    first_word, row_sentence = _assign_rows(
        words.with_flat_values(lengths), limit
    )
    num_words = tf.size(lengths, tf.int64)[None]
    word_splits = tf.concat([first_word, num_words], axis=0)
    borders = tf.gather(of_words.row_splits, word_splits)
    size = tf.size(ids, tf.int64)
    rows = _frame(size, borders[:-1], borders[1:] - borders[:-1])
    special = tf.constant([tokenizer.start_id, tokenizer.end_id])
    ids = tf.gather(tf.concat([ids, special], axis=0), rows.index)
    mask = tf.gather(tf.concat([mask, [False, False]], axis=0), rows.index)
    return TaggingRows(
        ragged_parts.ragged(ids, rows.row_splits),
        ragged_parts.ragged(mask, rows.row_splits),
        row_sentence,
        word_splits,
    )


def _label_mask(
    ids: Any, words: Parts, bare_space_id: int | None, rule: str
) -> Any:
    """True at the piece of each word that carries its label, `(pieces,)`."""
    if rule == "first" or bare_space_id is None:
        return words.position == 0
    far = tf.int64.max
    content = tf.where(ids == bare_space_id, far, words.position)
    chosen = tf.math.unsorted_segment_min(
        content, words.row, tf.size(words.row_splits) - 1
    )
    # A word that is nothing but "▁" keeps its label there.
    chosen = tf.where(chosen == far, tf.zeros_like(chosen), chosen)
    return words.position == tf.gather(chosen, words.row)


def _assign_rows(piece_counts: Any, limit: int) -> tuple[Any, Any]:
    """First word of every row and its sentence, by greedy filling.

    `piece_counts` is an int64 RaggedTensor `(batch, words)`, each in 1..limit.
    The results are int64 `(rows,)`, words counted over the whole batch.
    """
    ends = tf.cumsum(piece_counts.flat_values)
    ends = tf.concat([tf.constant([0], tf.int64), ends], axis=0)
    # No border is there.
    far = tf.int64.max
    total = tf.gather(ends, piece_counts.row_limits())
    begin = piece_counts.row_starts()

    def more(start: Any, _: Any) -> Any:
        return tf.reduce_any(tf.gather(ends, start) + limit < total)

    def next_row(start: Any, borders: Any) -> tuple[Any, Any]:
        reach = tf.gather(ends, start) + limit
        done = reach >= total
        # The last border within reach.
        start = tf.where(done, start, ragged_parts.upper_bound(ends, reach) - 1)
        border = tf.where(done, far, start)
        return start, tf.concat([borders, border[:, None]], axis=1)

    _, borders = tf.while_loop(
        more,
        next_row,
        (begin, begin[:, None]),
        shape_invariants=(
            tf.TensorShape([None]),
            tf.TensorShape([None, None]),
        ),
    )
    found = tf.where(borders < far)
    return tf.gather_nd(borders, found), found[:, 0]
