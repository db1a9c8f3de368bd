"""Tests of the rows against greedy loops in plain Python."""

import random

import pytest
import tensorflow as tf

from dlfa_tf.preprocessing.piece_tokenizer import PieceTokenizer
from dlfa_tf.preprocessing.rows import _assign_rows
from dlfa_tf.preprocessing.rows import pair_rows
from dlfa_tf.preprocessing.rows import tagging_rows
from dlfa_tf.preprocessing.tagging_preprocessor import spread_labels

START, END, UNK = 1, 2, 3
BARE = ord("_")


def make_tokenizer(separator=(END,), second_segment=1):
    """One piece per character, its code point; "_" plays the bare "▁"."""
    return PieceTokenizer(
        tokenize=lambda texts: tf.strings.unicode_decode(texts, "UTF-8"),
        start_id=START,
        end_id=END,
        pad_id=0,
        unk_id=UNK,
        pair_separator=separator,
        second_segment=second_segment,
        bare_space_id=BARE,
        resources=(),
    )


TOKENIZER = make_tokenizer()


def ragged_words(sentences):
    return tf.RaggedTensor.from_row_lengths(
        tf.constant([w for words in sentences for w in words], tf.string),
        tf.constant([len(words) for words in sentences], tf.int64),
    )


def word_pieces(word, limit):
    pieces = [ord(character) for character in word]
    return pieces if 1 <= len(pieces) <= limit else [UNK]


def label_position(pieces, rule):
    if rule == "first" or set(pieces) == {BARE}:
        return 0
    return next(i for i, piece in enumerate(pieces) if piece != BARE)


def greedy_rows(sentences, max_pieces, rule):
    """Token ids, label masks and sentences of the rows, word by word."""
    rows = []
    for sentence, words in enumerate(sentences):
        ids, mask = [], []
        for word in words:
            pieces = word_pieces(word, max_pieces - 2)
            if len(ids) + len(pieces) > max_pieces - 2:
                rows.append((ids, mask, sentence))
                ids, mask = [], []
            label = label_position(pieces, rule)
            ids = ids + pieces
            mask = mask + [i == label for i in range(len(pieces))]
        rows.append((ids, mask, sentence))
    return (
        [[START, *ids, END] for ids, _, _ in rows],
        [[False, *mask, False] for _, mask, _ in rows],
        [sentence for _, _, sentence in rows],
    )


def as_lists(rows):
    return (
        rows.token_ids.to_list(),
        rows.label_mask.to_list(),
        rows.row_sentence.numpy().tolist(),
    )


def random_sentences(rng, max_pieces):
    """Sentences with empty, short and over-long words, or without words."""
    most = rng.choice([2, 4, max_pieces])

    def word():
        size = rng.choice([0, 1, 1, rng.randrange(most + 1), max_pieces - 2])
        return "".join(rng.choice("_abc") for _ in range(size))

    return [
        [word() for _ in range(rng.choice([0, 1, 3, 12]))]
        for _ in range(rng.randrange(6))
    ]


@pytest.mark.parametrize(
    ("max_pieces", "rule"),
    [(3, "first"), (4, "first_content"), (7, "first"), (12, "first_content")],
)
def test_tagging_rows_are_those_of_the_greedy_loop(max_pieces, rule, seed):
    def rows(words):
        return tagging_rows(words, TOKENIZER, max_pieces, rule)

    graph = tf.function(
        rows, input_signature=[tf.RaggedTensorSpec([None, None], tf.string)]
    )
    rng = random.Random(seed + max_pieces)
    for number in range(30):
        sentences = random_sentences(rng, max_pieces)
        words = ragged_words(sentences)
        expected = greedy_rows(sentences, max_pieces, rule)
        assert as_lists(graph(words)) == expected, sentences
        # Without a graph the loop over the rows is slow.
        if number % 20 == 0:
            assert as_lists(rows(words)) == expected, sentences


def test_merging_the_rows_gives_back_every_word(seed):
    graph = tf.function(
        lambda words: tagging_rows(words, TOKENIZER, 8, "first_content"),
        input_signature=[tf.RaggedTensorSpec([None, None], tf.string)],
    )
    rng = random.Random(seed)
    for _ in range(30):
        sentences = random_sentences(rng, 8)
        words = ragged_words(sentences)
        rows = graph(words)
        assert max(rows.token_ids.row_lengths().numpy(), default=0) <= 8
        # One label position per word: numbering the words and reading the
        # numbers back gives all of them in order.
        count = sum(len(sentence) for sentence in sentences)
        numbers = spread_labels(
            rows.label_mask, words.with_flat_values(tf.range(count))
        )
        read = tf.ragged.boolean_mask(numbers, rows.label_mask)
        assert read.flat_values.numpy().tolist() == list(range(count))
        # They are in a row of their own sentence.
        sentence_of_label = tf.repeat(rows.row_sentence, read.row_lengths())
        assert (
            sentence_of_label.numpy().tolist()
            == words.value_rowids().numpy().tolist()
        )
        # Without the special pieces the rows are the words' pieces.
        inner = rows.token_ids[:, 1:-1].flat_values.numpy().tolist()
        assert inner == [
            piece
            for sentence in sentences
            for word in sentence
            for piece in word_pieces(word, 6)
        ]


@pytest.mark.parametrize("limit", [1, 5, 126])
def test_assign_rows_is_the_greedy_loop(limit, seed):
    rng = random.Random(seed + limit)
    graph = tf.function(
        lambda counts: _assign_rows(counts, limit),
        input_signature=[tf.RaggedTensorSpec([None, None], tf.int64)],
    )
    for number in range(30):
        batch = [
            [rng.randint(1, limit) for _ in range(rng.choice([0, 1, 7, 60]))]
            for _ in range(rng.randrange(5))
        ]
        first_word, row_sentence, word = [], [], 0
        for sentence, counts in enumerate(batch):
            first_word.append(word)
            row_sentence.append(sentence)
            used = 0
            for count in counts:
                if used + count > limit:
                    first_word.append(word)
                    row_sentence.append(sentence)
                    used = 0
                used += count
                word += 1
        counts = tf.RaggedTensor.from_row_lengths(
            tf.constant([c for row in batch for c in row], tf.int64),
            tf.constant([len(row) for row in batch], tf.int64),
        )
        found = [tensor.numpy().tolist() for tensor in graph(counts)]
        assert found == [first_word, row_sentence], batch
        if number % 10 == 0:
            eager = _assign_rows(counts, limit)
            assert [tensor.numpy().tolist() for tensor in eager] == found


def test_long_sentence_among_short_ones():
    sentences = [["ab"], ["abc"] * 1000, [], ["a"] * 5]
    rows = tf.function(tagging_rows)(
        ragged_words(sentences), TOKENIZER, 10, "first"
    )
    # Eight pieces hold two words of three.
    assert rows.row_sentence.numpy().tolist() == [0, *[1] * 500, 2, 3]


def one_sentence(words, max_pieces=6, rule="first"):
    rows = tagging_rows(ragged_words([words]), TOKENIZER, max_pieces, rule)
    return as_lists(rows)[:2]


def test_word_without_pieces_becomes_unknown_and_keeps_its_label():
    ids, mask = one_sentence(["a", "", "b"])
    assert ids == [[START, 97, UNK, 98, END]]
    assert mask == [[False, True, True, True, False]]


def test_word_that_fills_a_row_is_kept():
    ids, mask = one_sentence(["a", "abcd", "b"])
    assert ids == [[START, 97, END], [START, *b"abcd", END], [START, 98, END]]
    assert mask[1] == [False, True, False, False, False, False]


def test_word_of_more_pieces_than_a_row_becomes_unknown():
    ids, mask = one_sentence(["a", "abcde", "b"])
    assert ids == [[START, 97, UNK, 98, END]]
    assert mask == [[False, True, True, True, False]]


def test_row_that_is_exactly_full_starts_no_empty_one():
    assert one_sentence(["ab", "cd"])[0] == [[START, *b"abcd", END]]
    assert one_sentence(["abcd"])[0] == [[START, *b"abcd", END]]


def test_empty_sentences_have_one_row_without_words():
    rows = tagging_rows(ragged_words([[], ["a"], []]), TOKENIZER, 6, "first")
    ids, mask, sentences = as_lists(rows)
    assert ids == [[START, END], [START, 97, END], [START, END]]
    assert mask == [[False, False], [False, True, False], [False, False]]
    assert sentences == [0, 1, 2]


@pytest.mark.parametrize("sentences", [[], [[]], [[], []]])
def test_batches_without_a_word(sentences):
    rows = tagging_rows(ragged_words(sentences), TOKENIZER, 6, "first")
    assert as_lists(rows) == greedy_rows(sentences, 6, "first")


def test_first_content_piece_is_the_first_that_is_not_bare():
    words = ["_ab", "ab_", "__a", "_", "__"]
    _, mask = one_sentence(words, max_pieces=20, rule="first_content")
    positions = [i for i, labelled in enumerate(mask[0]) if labelled]
    # One special piece, then words of 3, 3, 3, 1 and 2 pieces.
    assert positions == [1 + 1, 4, 7 + 2, 10, 11]
    _, mask = one_sentence(words, max_pieces=20, rule="first")
    assert [i for i, x in enumerate(mask[0]) if x] == [1, 4, 7, 10, 11]


def test_types_of_tagging_rows():
    rows = tagging_rows(ragged_words([["a"]]), TOKENIZER, 6, "first")
    assert rows.token_ids.dtype == tf.int32
    assert rows.label_mask.dtype == tf.bool
    assert rows.row_sentence.dtype == tf.int64


def longest_first(a, b, budget):
    """Hugging Face's rule: drop the last piece of the longer, else of b."""
    a, b = list(a), list(b)
    while len(a) + len(b) > budget:
        if len(a) > len(b):
            a.pop()
        else:
            b.pop()
    return a, b


@pytest.mark.parametrize(
    ("max_pieces", "separator"),
    [(8, (END, END)), (9, (END,)), (13, (END, END))],
)
def test_pairs_are_cut_longest_first(max_pieces, separator, seed):
    tokenizer = make_tokenizer(separator, second_segment=1)

    def rows(first, second):
        return pair_rows(first, second, tokenizer, max_pieces)

    graph = tf.function(
        rows, input_signature=[tf.TensorSpec([None], tf.string)] * 2
    )
    lengths = range(max_pieces + 3)
    pairs = [
        ("abcdefghijklmnop"[:i], "q" * j) for i in lengths for j in lengths
    ]
    random.Random(seed).shuffle(pairs)
    ids, segments = [], []
    for first, second in pairs:
        a, b = longest_first(
            first.encode(), second.encode(), max_pieces - 2 - len(separator)
        )
        head, tail = [START, *a, *separator], [*b, END]
        ids.append(head + tail)
        segments.append([0] * len(head) + [1] * len(tail))
    firsts, seconds = (tf.constant(texts) for texts in zip(*pairs, strict=True))
    for function in (rows, graph):
        found = function(firsts, seconds)
        assert found.token_ids.to_list() == ids
        assert found.segment_ids.to_list() == segments
        assert found.token_ids.dtype == found.segment_ids.dtype == tf.int32


def test_equal_texts_lose_from_the_second_first():
    rows = pair_rows(tf.constant(["abc"]), tf.constant(["xyz"]), TOKENIZER, 8)
    assert rows.token_ids.to_list() == [[START, *b"abc", END, *b"xy", END]]


def test_single_texts_are_cut_at_the_end():
    rows = pair_rows(tf.constant(["abcdefgh", "", "ab"]), None, TOKENIZER, 6)
    assert rows.token_ids.to_list() == [
        [START, *b"abcd", END],
        [START, END],
        [START, *b"ab", END],
    ]
    assert rows.segment_ids.to_list() == [[0] * 6, [0] * 2, [0] * 4]


def test_second_segment_of_vocabularies_without_segments():
    tokenizer = make_tokenizer((END, END), second_segment=0)
    rows = pair_rows(tf.constant(["a"]), tf.constant(["b"]), tokenizer, 8)
    assert rows.token_ids.to_list() == [[START, 97, END, END, 98, END]]
    assert rows.segment_ids.to_list() == [[0] * 6]


def test_no_texts():
    none = tf.constant([], tf.string)
    for second in (None, none):
        rows = pair_rows(none, second, TOKENIZER, 8)
        assert rows.token_ids.to_list() == rows.segment_ids.to_list() == []
