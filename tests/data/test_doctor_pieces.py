"""Pieces of words: counted as a model will read them."""

import pytest

from dlfa_tf.data import doctor_pieces
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence


@pytest.fixture(scope="module")
def tokenizer():
    import keras_hub

    words = "[PAD] [UNK] [CLS] [SEP] [MASK] the dog ##s"
    return keras_hub.models.BertTokenizer(words.split(), lowercase=False)


def test_words_pieces_and_what_is_unknown(tokenizer):
    count = doctor_pieces.piece_counter(tokenizer, sequence_length=5)
    words = ("the", "dogs", "собака", "\u200b")
    found = count([TaggedSentence(words, ("X",) * 4), *[
        TaggedSentence(("the", "dog"), ("X",) * 2)
    ] * 3])  # fmt: skip
    assert found == {
        "words": 10.0,
        "pieces_per_word": pytest.approx(11 / 10),
        "unknown_words": pytest.approx(2 / 10),
        "long_items": pytest.approx(1 / 4),
    }


def test_pairs_have_a_separator_more(tokenizer):
    pair = [PairExample("the dog", "dog", "x")]
    for length, long in ((6, 0.0), (5, 1.0)):
        count = doctor_pieces.piece_counter(tokenizer, length)
        assert count(pair)["long_items"] == long
