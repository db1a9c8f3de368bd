"""Tests of the classifier of texts and pairs."""

import dataclasses

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models.presets.tiny import tiny_bert_tokenizer
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.testing.task_checks import CHECKS
from dlfa_tf.testing.task_checks import TaskCase
from dlfa_tf.testing.task_checks import check_fit_and_evaluate
from dlfa_tf.testing.task_checks import check_predictions
from dlfa_tf.testing.task_checks import loss_and_accuracy

FIRST = ["the cat", "a dog runs", "it"]
SECOND = ["sees", "no cat", "is a big house"]
ANSWERS = ["yes", "no", "yes"]
IDS = [1, 0, 1]


# The answer is in the second text alone.
PAIRS = TaskCase(
    task_class=DLFATextClassifier,
    x=(["c", "d", "c", "d"], ["a", "a", "b", "b"]),
    y=["yes", "yes", "no", "no"],
    y_ids=[1, 1, 0, 0],
    labels=("no", "yes"),
    options={"fusion_layer": 1, "last_layer": 2},
)
SINGLE = dataclasses.replace(PAIRS, x=["a", "a b", "b", "b c d"])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_classifier_passes_generic_check(check):
    check(PAIRS)


def test_single_texts_are_read_like_pairs():
    check_fit_and_evaluate(SINGLE)
    check_predictions(SINGLE)


def make_model():
    encoder = keras_hub.models.BertBackbone(
        vocabulary_size=57,
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=64,
        dropout=0.0,
    )
    model = DLFATextClassifier(
        DLFABackbone(encoder, fusion_layer=1, reduction_ratio=2),
        preprocessor=PairPreprocessor(
            tiny_bert_tokenizer(), labels=["no", "yes"], sequence_length=64
        ),
        dropout=0.0,
    )
    # Fresh weights hardly tell inputs apart.
    generator = np.random.default_rng(2)
    for weight in model.weights:
        noise = generator.normal(0.0, 0.2, tuple(weight.shape))
        weight.assign(weight + noise.astype("float32"))
    # Tracing takes seconds and is not the point here.
    model.compile(optimizer=keras.optimizers.SGD(0.0), run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def model():
    """A classifier whose weights stay: no dropout, a learning rate of 0."""
    return make_model()


def logits_of(model, first, second=None):
    """Logits without `predict`: one batch through preprocessor and model."""
    x = tf.constant(first)
    if second is not None:
        x = (x, tf.constant(second))
    return np.asarray(model(model.preprocessor(x)))


def expected_results(logits, ids):
    return pytest.approx(loss_and_accuracy(logits, np.array(ids)), abs=1e-5)


def pairs_dataset(labelled, form):
    x = (FIRST, SECOND)
    if form == "dict":
        x = {"first": FIRST, "second": SECOND}
    data = (x, ANSWERS) if labelled else x
    return tf.data.Dataset.from_tensor_slices(data).batch(2)


def test_second_text_matters(model):
    logits = model.predict((FIRST, SECOND), verbose=0)
    assert logits.shape == (3, 2)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(
        logits, logits_of(model, FIRST, SECOND), atol=1e-5
    )
    other = logits_of(model, FIRST, [*SECOND[:2], "is a big dog"])
    np.testing.assert_allclose(other[:2], logits[:2], atol=1e-5)
    assert np.abs(other[2] - logits[2]).max() > 1e-3
    swapped = logits_of(model, SECOND, FIRST)
    assert np.abs(swapped - logits).max() > 1e-3


@pytest.mark.parametrize(
    "x",
    [
        (tuple(FIRST), np.array(SECOND, object)),
        {"first": FIRST, "second": tf.constant(SECOND)},
    ],
    ids=["tuple", "dict"],
)
def test_texts_of_a_pair_are_named_in_every_form(model, x):
    found = model.structured_x(x)
    assert list(found) == ["first", "second"]
    for texts, expected in zip(found.values(), (FIRST, SECOND), strict=True):
        assert [t.decode() for t in tf.constant(texts).numpy()] == expected


def test_single_texts_have_one_name_or_none(model):
    assert model.structured_x(FIRST) is FIRST
    (texts,) = model.structured_x((np.array(FIRST),)).values()
    assert [t.decode() for t in tf.constant(texts).numpy()] == FIRST


def test_data_sets_of_pairs_are_read(model):
    logits = logits_of(model, FIRST, SECOND)
    predicted = model.predict(pairs_dataset(False, "dict"), verbose=0)
    np.testing.assert_allclose(predicted, logits, atol=1e-5)
    expected = expected_results(logits, IDS)
    assert model.evaluate(pairs_dataset(True, "tuple"), verbose=0) == expected
    history = model.fit(pairs_dataset(True, "dict"), verbose=0).history
    # Nothing is learned and dropped, so this is the loss of the batches.
    assert [history["loss"][0], history["accuracy"][0]] == expected


def test_batch_methods_take_pairs(model):
    logits = logits_of(model, FIRST, SECOND)
    np.testing.assert_allclose(
        model.predict_on_batch((FIRST, SECOND)), logits, atol=1e-5
    )
    x = (tf.constant(FIRST), tf.constant(SECOND))
    expected = expected_results(logits, IDS)
    assert model.test_on_batch(x, tf.constant(ANSWERS)) == expected
    assert model.train_on_batch(x, tf.constant(ANSWERS)) == expected


def test_fit_evaluates_validation_data(model):
    held_out = ((FIRST[:2], SECOND[:2]), ANSWERS[:2])
    history = model.fit(
        (FIRST[2:], SECOND[2:]),
        ANSWERS[2:],
        validation_data=held_out,
        verbose=0,
    ).history
    logits = logits_of(model, FIRST, SECOND)
    for name, rows in (("", slice(2, 3)), ("val_", slice(0, 2))):
        results = [history[f"{name}loss"][0], history[f"{name}accuracy"][0]]
        assert results == expected_results(logits[rows], IDS[rows])


def test_long_pairs_are_cut(model):
    short, long = ["a"], ["b " * 200]
    logits = logits_of(model, short, long)
    assert logits.shape == (1, 2)
    features = model.preprocessor((tf.constant(short), tf.constant(long)))
    assert features["token_ids"].shape == (1, 64)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            [FIRST, SECOND],
            r"must be a flat list\. Received: a list with a list",
        ),
        ([("a", "b")], r"a tuple of two such lists for pairs"),
        ((FIRST, SECOND, FIRST), "a tuple of 3"),
        ({"premise": FIRST}, r"Received: keys \['premise'\]"),
        ("a text", "must have a batch dimension"),
        (("a text", "another"), "must have a batch dimension"),
    ],
    ids=["lists", "pairs", "three", "keys", "string", "strings"],
)
def test_error_of_unknown_structure(model, x, message):
    with pytest.raises(ValueError, match=message):
        model.predict(x, verbose=0)
    with pytest.raises(ValueError, match=message):
        model.evaluate(x, ANSWERS, verbose=0)


def test_error_of_unknown_label(model):
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"Unknown label.*\[maybe\]"
    ):
        model.fit((FIRST, SECOND), ["yes", "no", "maybe"], verbose=0)


def test_without_preprocessor_the_model_takes_arrays(model):
    bare = DLFATextClassifier(model.backbone, num_classes=2)
    assert bare.labels is None
    assert bare.structured_x((FIRST, SECOND)) == (FIRST, SECOND)
    x = model.preprocessor((tf.constant(FIRST), tf.constant(SECOND)))
    assert bare.predict_on_batch(x).shape == (3, 2)


def test_head_reads_the_pooled_output(model):
    x = model.preprocessor(tf.constant(FIRST))
    kernel, bias = model.get_layer("logits").get_weights()
    pooled = np.asarray(model.backbone(x)["pooled_output"])
    np.testing.assert_allclose(
        np.asarray(model(x)), pooled @ kernel + bias, atol=1e-5
    )
