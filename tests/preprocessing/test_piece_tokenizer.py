"""Tests of what the preprocessors ask of a tokenizer."""

import dataclasses
import io
import itertools

import keras_hub
import pytest
import sentencepiece
import tensorflow as tf

from dlfa_tf.preprocessing.piece_tokenizer import build_piece_tokenizer


@pytest.fixture(scope="module")
def bert(bert_tokenizer):
    return build_piece_tokenizer(bert_tokenizer)


@pytest.fixture(scope="module")
def xlmr(xlmr_tokenizer):
    return build_piece_tokenizer(xlmr_tokenizer)


def test_ids_of_a_wordpiece_vocabulary(bert):
    assert (bert.pad_id, bert.unk_id, bert.start_id, bert.end_id) == (
        0,
        1,
        2,
        3,
    )
    assert bert.pair_separator == (3,)
    assert bert.second_segment == 1
    assert bert.bare_space_id is None
    assert bert.resources == ()
    assert bert.default_label_piece == "first"


def test_ids_of_a_sentencepiece_vocabulary(xlmr, xlmr_tokenizer):
    assert (xlmr.start_id, xlmr.pad_id, xlmr.end_id, xlmr.unk_id) == (
        0,
        1,
        2,
        3,
    )
    assert xlmr.pair_separator == (2, 2)
    assert xlmr.second_segment == 0
    assert xlmr_tokenizer.id_to_token(xlmr.bare_space_id) == "▁"
    assert len(xlmr.resources) == 1
    assert xlmr.default_label_piece == "first_content"


def test_vocabulary_without_a_bare_space():
    # Every letter opens a word or follows every other one, so that the
    # trainer finds no use for "▁" alone.
    model = io.BytesIO()
    pairs = itertools.product("ab", repeat=2)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(map("".join, pairs))]),
        model_writer=model,
        model_type="word",
        vocab_size=7,
        minloglevel=2,
    )
    tokenizer = keras_hub.models.XLMRobertaTokenizer(proto=model.getvalue())
    assert "▁" not in tokenizer.get_vocabulary()
    pieces = build_piece_tokenizer(tokenizer)
    assert pieces.bare_space_id is None
    assert pieces.default_label_piece == "first"


def test_words_are_tokenised_one_by_one(bert, xlmr, xlmr_tokenizer):
    words = tf.constant(["ab", "", "a"])
    assert bert.tokenize(words).to_list() == [[5, 32], [], [5]]
    a, b = (xlmr_tokenizer.token_to_id(piece) for piece in ("▁a", "b"))
    assert xlmr.tokenize(words).to_list() == [[a, b], [], [a]]


def test_distilbert_is_a_wordpiece_vocabulary(bert_tokenizer, bert):
    tokenizer = keras_hub.models.DistilBertTokenizer(
        vocabulary=bert_tokenizer.get_vocabulary()
    )
    pieces = build_piece_tokenizer(tokenizer)
    for name in ("start_id", "end_id", "pad_id", "unk_id", "pair_separator"):
        assert getattr(pieces, name) == getattr(bert, name)


def test_piece_tokenizer_is_frozen(bert):
    with pytest.raises(dataclasses.FrozenInstanceError):
        bert.pad_id = 7


@pytest.mark.parametrize(
    "make",
    [
        lambda vocabulary: keras_hub.tokenizers.WordPieceTokenizer(vocabulary),
        lambda _: keras_hub.tokenizers.UnicodeCodepointTokenizer(),
        lambda _: keras_hub.tokenizers.ByteTokenizer(),
        lambda _: None,
    ],
    ids=["WordPieceTokenizer", "UnicodeCodepoint", "ByteTokenizer", "NoneType"],
)
def test_other_kinds_are_refused(make, bert_tokenizer, request):
    tokenizer = make(bert_tokenizer.get_vocabulary())
    with pytest.raises(TypeError) as caught:
        build_piece_tokenizer(tokenizer)
    message = str(caught.value)
    assert message.startswith("`tokenizer` must be a keras-hub XLMRobertaToken")
    assert "BertTokenizer, DistilBertTokenizer" in message
    assert f"Received: {request.node.callspec.id}" in message


def test_uncased_tokenizer_is_refused(bert_tokenizer):
    tokenizer = keras_hub.models.BertTokenizer(
        vocabulary=bert_tokenizer.get_vocabulary(), lowercase=True
    )
    with pytest.raises(ValueError, match="must be cased.*lowercase=True"):
        build_piece_tokenizer(tokenizer)
