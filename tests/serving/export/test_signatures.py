"""Tests of the functions of an exported model, before any export."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.serving.export.signatures import classifier_signatures
from dlfa_tf.serving.export.signatures import tagger_signatures
from tests.eager_mode import eagerly

TAGS = ["A", "B", "C", "D"]
TOLERANCE = 1e-5  # float32, other widths of padding


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Runs `tf.function`s as Python: tracing takes longer than tiny models."""
    with eagerly():
        yield


def with_signatures(cls, preset, labels, build):
    keras.utils.set_random_seed(5)
    model = cls.from_preset(
        preset, fusion_layer=1, labels=labels, sequence_length=16
    )

    def forward(features, read=None):
        sequence = model.backbone(features)["sequence_output"]
        return model(features), sequence[:, 0]

    return model, build(model, forward)


@pytest.fixture(scope="module", params=["tiny", "tiny_sentencepiece"])
def tagger(request):
    return with_signatures(
        DLFATokenClassifier, request.param, TAGS, tagger_signatures
    )


@pytest.fixture(scope="module", params=["tiny", "tiny_sentencepiece"])
def classifier(request):
    return with_signatures(
        DLFATextClassifier, request.param, ["no", "yes"], classifier_signatures
    )


def strings(tensor):
    return [[x.decode() for x in row] for row in tensor.numpy()]


LONG = " ".join(["cat", "dog"] * 60)
TEXTS = ["the cat sees", "", LONG, "  a\u00a0dog\u3000runs \n"]


def test_names_of_the_signatures(tagger, classifier):
    assert set(tagger[1]) == {"serving_default", "tag_words", "embed"}
    assert set(classifier[1]) == {"serving_default", "embed"}


def test_every_word_of_a_text_is_tagged(tagger):
    model, functions = tagger
    answer = functions["serving_default"](tf.constant(TEXTS))
    assert answer["length"].numpy().tolist() == [3, 0, 120, 3]
    assert answer["words"].shape == (4, 120)
    assert answer["length"].dtype == tf.int32
    expected = model.tag(TEXTS)
    logits = model.predict(TEXTS)
    words = strings(answer["words"])
    tags = strings(answer["tags"])
    scores = answer["scores"].numpy()
    for i, length in enumerate([3, 0, 120, 3]):
        assert words[i][:length] == TEXTS[i].split()
        assert tags[i][:length] == expected[i]
        assert words[i][length:] == tags[i][length:] == [""] * (120 - length)
        probabilities = keras.ops.softmax(logits[i, :length]).numpy()
        np.testing.assert_allclose(
            scores[i, :length], probabilities.max(-1), atol=TOLERANCE
        )
        assert not scores[i, length:].any()


def test_words_are_tagged_as_their_text(tagger):
    _, functions = tagger
    words = [["the", "cat", "sees"], ["a", "dog", ""], ["", "", ""]]
    answer = functions["tag_words"](tf.constant(words))
    texts = [" ".join(row).strip() for row in words]
    expected = functions["serving_default"](tf.constant(texts))
    assert answer["length"].numpy().tolist() == [3, 2, 0]
    for name in ("words", "tags", "length"):
        np.testing.assert_array_equal(answer[name], expected[name])
    np.testing.assert_allclose(
        answer["scores"], expected["scores"], atol=TOLERANCE
    )


def test_empty_word_before_a_word_is_a_word(tagger):
    _, functions = tagger
    answer = functions["tag_words"](tf.constant([["a", "", "b", ""]]))
    assert answer["length"].numpy().tolist() == [3]
    assert strings(answer["words"]) == [["a", "", "b"]]
    assert all(strings(answer["tags"])[0])


def test_text_embedding_is_position_zero_of_the_first_row(tagger):
    model, functions = tagger
    vectors = functions["embed"](tf.constant(TEXTS))["embedding"].numpy()
    assert vectors.shape == (4, 8)
    assert vectors.dtype == np.float32
    for text, vector in zip(TEXTS, vectors, strict=True):
        features = model.preprocessor([text])
        sequence = model.backbone(features)["sequence_output"]
        np.testing.assert_allclose(vector, sequence[0, 0], atol=TOLERANCE)


def test_pairs_are_classified_as_the_model_does(classifier):
    model, functions = classifier
    first = ["the cat", "", LONG]
    second = ["a dog runs", "a man", "the house"]
    answer = functions["serving_default"](
        tf.constant(first), tf.constant(second)
    )
    logits = model.predict_on_batch((first, second))
    probabilities = keras.ops.softmax(logits).numpy()
    np.testing.assert_allclose(
        answer["probabilities"], probabilities, atol=TOLERANCE
    )
    labels = [model.labels[i] for i in probabilities.argmax(-1)]
    assert [x.decode() for x in answer["label"].numpy()] == labels


def test_pair_embedding_is_position_zero(classifier):
    model, functions = classifier
    first, second = ["the cat"], ["a dog runs"]
    vectors = functions["embed"](tf.constant(first), tf.constant(second))
    features = model.preprocessor((first, second))
    sequence = model.backbone(features)["sequence_output"]
    np.testing.assert_allclose(
        vectors["embedding"], sequence[:, 0], atol=TOLERANCE
    )


# Empty batches: test_export_module.py. Keras' eager `Add` fails on them.


def test_texts_without_columns_have_no_words(tagger):
    _, functions = tagger
    answer = functions["tag_words"](tf.zeros([2, 0], tf.string))
    assert answer["length"].numpy().tolist() == [0, 0]
    assert answer["tags"].shape == (2, 1)


def test_invalid_utf8_is_replaced(tagger, classifier):
    answer = tagger[1]["serving_default"](tf.constant([b"a \xff\xfeb c"]))
    assert answer["length"].numpy().tolist() == [3]
    assert strings(answer["words"])[0][1].endswith("b")
    bad = tf.constant([b"\xc3\x28 cat"])
    probabilities = classifier[1]["serving_default"](bad, bad)["probabilities"]
    np.testing.assert_allclose(probabilities.numpy().sum(), 1, atol=1e-6)


@pytest.mark.parametrize("shape", [[], [2, 1]], ids=["rank 0", "rank 2"])
def test_text_of_another_rank_is_refused(tagger, classifier, shape):
    wrong, right = tf.fill(shape, "a b"), tf.constant(["a b"])
    for function in ("serving_default", "embed"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
            tagger[1][function](wrong)
        for pair in ((wrong, right), (right, wrong)):
            with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
                classifier[1][function](*pair)


@pytest.mark.parametrize("shape", [[], [2], [1, 1, 1]], ids=str)
def test_words_of_another_rank_are_refused(tagger, shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        tagger[1]["tag_words"](tf.fill(shape, "a"))


def test_pairs_of_unequal_number_are_refused(classifier):
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        classifier[1]["serving_default"](
            tf.constant(["a", "b"]), tf.constant(["c"])
        )
