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
from dlfa_tf.models.task import DLFATask
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


@pytest.mark.parametrize(
    ("x", "count"),
    [
        (["a", "b"], 1),
        (np.array(["a", "b"]), 1),
        ((["a", "b"], ["c", "d"]), 2),
        ({"first": ["a", "b"]}, 1),
        ({"first": ["a", "b"], "second": ["c", "d"]}, 2),
        (tf.data.Dataset.from_tensors((["a", "b"], ["no", "yes"])), 1),
        (
            tf.data.Dataset.from_tensors(
                ({"first": ["a"], "second": ["c"]}, ["no"])
            ),
            2,
        ),
    ],
)  # fmt: skip
def test_fit_says_what_programs_take(monkeypatch, x, count):
    model = make_model()
    assert model.num_texts is None
    monkeypatch.setattr(DLFATask, "fit", lambda self, x, *rest, **more: x)
    assert model.fit(x, ["no", "yes"]) is x
    assert model.num_texts == count
    copy = DLFATextClassifier.from_config(model.get_config())
    assert copy.num_texts == count


def test_numbers_of_texts_that_are_refused(model):
    with pytest.raises(ValueError, match="1, 2 or None. Received: 3"):
        DLFATextClassifier(model.backbone, num_classes=2, num_texts=3)


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
        ValueError, match="`y`: Unknown label.*'maybe' at index 2"
    ):
        model.fit((FIRST, SECOND), ["yes", "no", "maybe"], verbose=0)


def losses(model):
    """Cross entropy of each of the three examples."""
    logits = logits_of(model, FIRST, SECOND).astype("float64")
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return -np.log(shares[range(3), IDS])


def test_class_weights_weigh_the_loss(model):
    wanted = pytest.approx((losses(model) * [3, 1, 3]).mean(), abs=1e-5)
    x = (FIRST, SECOND)
    history = model.fit(x, ANSWERS, class_weight={"yes": 3}, verbose=0)
    assert history.history["loss"][0] == wanted
    assert model.train_on_batch(x, IDS, class_weight=[1, 3])[0] == wanted


def test_class_weights_weigh_a_data_set(model):
    history = model.fit(
        tf.data.Dataset.from_tensors(((FIRST, SECOND), ANSWERS)),
        class_weight={"yes": 3},
        verbose=0,
    )
    wanted = (losses(model) * [3, 1, 3]).mean()
    assert history.history["loss"][0] == pytest.approx(wanted, abs=1e-5)


def test_class_weights_weigh_token_arrays(model):
    x = model.preprocessor((tf.constant(FIRST), tf.constant(SECOND)))
    bare = DLFATextClassifier(model.backbone, num_classes=2)
    bare.set_weights(model.get_weights())
    bare.compile(optimizer=keras.optimizers.SGD(0.0), run_eagerly=True)
    bare.get_layer("output_dropout").rate = 0.0
    wanted = pytest.approx((losses(model) * [3, 1, 3]).mean(), abs=1e-5)
    ids = np.array(IDS)
    history = bare.fit(x, ids, class_weight=[1, 3], verbose=0).history
    assert history["loss"][0] == wanted
    dataset = tf.data.Dataset.from_tensors((x, ids))
    history = bare.fit(dataset, class_weight={1: 3}, verbose=0).history
    assert history["loss"][0] == wanted
    # Keras weighs a name as if it were not there.
    with pytest.raises(ValueError, match="unknown class. Received: 'yes'"):
        bare.fit(x, ids, class_weight={"yes": 3})


def test_sample_weights_weigh_the_loss_and_exclude_those_of_classes(model):
    x, weights = (FIRST, SECOND), [1, 2, 0.5]
    history = model.fit(x, ANSWERS, sample_weight=weights, verbose=0).history
    wanted = pytest.approx((losses(model) * weights).mean(), abs=1e-5)
    assert history["loss"][0] == wanted
    found = model.evaluate(x, ANSWERS, sample_weight=weights, verbose=0)
    assert found[0] == wanted
    with pytest.raises(ValueError, match="exclude each other"):
        model.fit(x, ANSWERS, sample_weight=weights, class_weight={1: 2})


def test_strings_go_on_in_the_next_epoch_after_some_steps(model):
    class Batches(keras.callbacks.Callback):
        count = 0

        def on_train_batch_end(self, batch, logs=None):
            self.count += 1

    batches = Batches()
    # Keras warns, and stops, when a data set has no more.
    history = model.fit(
        (FIRST, SECOND), ANSWERS, batch_size=2, epochs=2, steps_per_epoch=3,
        callbacks=[batches], verbose=0,
    ).history  # fmt: skip
    assert batches.count == 6
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 0, 5], "out of range or no whole number. Received:.*5"),
        ([1, 0, -1], "out of range or no whole number. Received:.*-1"),
        ([0.2, 1, 1], "out of range or no whole number. Received:.*0.2"),
        (["yes", "no", "maybe"], "Unknown label. Received:.*maybe"),
    ],
    ids=str,
)
def test_labels_of_a_data_set_are_checked_before_their_step(model, y, message):
    """On the processor: with XLA a wrong id would be a loss of NaN."""
    dataset = tf.data.Dataset.from_tensor_slices(((FIRST, SECOND), y)).batch(3)
    before = model.optimizer.iterations.numpy()
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        model.fit(dataset, verbose=0)
    assert model.optimizer.iterations.numpy() == before


def test_one_hot_labels_of_a_data_set_are_refused(model):
    dataset = tf.data.Dataset.from_tensor_slices((FIRST, np.eye(3)[:, :2]))
    with pytest.raises(ValueError, match=r"one label per example.*argmax"):
        model.fit(dataset.batch(3), verbose=0)


def test_ids_of_a_data_set_are_checked_without_names(model):
    unnamed = DLFATextClassifier(
        model.backbone,
        num_classes=2,
        preprocessor=PairPreprocessor(
            tiny_bert_tokenizer(), sequence_length=64
        ),
    )
    unnamed.compile(run_eagerly=True)
    dataset = tf.data.Dataset.from_tensor_slices((FIRST, [0, 1, 2])).batch(3)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="out of range. Received:.*2"
    ):
        unnamed.evaluate(dataset, verbose=0)
    with pytest.raises(ValueError, match="2 at index 2. Accepted: ids 0 to 1"):
        unnamed.evaluate(FIRST, [0, 1, 2], verbose=0)


def test_predictions_of_nothing_have_no_rows(model):
    assert model.predict([], verbose=0).shape == (0, 2)
    assert model.predict(([], []), verbose=0).shape == (0, 2)
    with pytest.raises(ValueError, match="`x` is empty"):
        model.evaluate([], [], verbose=0)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([1, 0, 2], ValueError, "Received: 2 at index 2. Accepted: ids 0 to 1"),
        ([1, 0, -1], ValueError, "Received: -1 at index 2"),
        ([0.5, 1, 1], ValueError, "whole numbers. Received: 0.5 at index 0"),
        (np.eye(3)[:, :2], ValueError, r"wrong shape. Received: \(3, 2\)"),
        (None, ValueError, "`y` is missing"),
        (ANSWERS, TypeError, "names need a preprocessor"),
        ([True, False, True], TypeError, "`y` must hold ids"),
    ],
    ids=str,
)
def test_ids_of_token_arrays_are_checked(model, y, error, message):
    x = model.preprocessor((tf.constant(FIRST), tf.constant(SECOND)))
    bare = DLFATextClassifier(model.backbone, num_classes=2)
    y = np.array(y) if isinstance(y, list) else y
    for method in (bare.fit, bare.evaluate, bare.train_on_batch):
        with pytest.raises(error, match=message):
            method(x, y)


def test_token_arrays_are_named(model):
    bare = DLFATextClassifier(model.backbone, num_classes=2)
    with pytest.raises(ValueError, match="the model has no preprocessor"):
        bare.predict(FIRST)
    with pytest.raises(ValueError, match="lacks the array 'token_ids'"):
        bare.fit({"input_ids": np.ones((1, 3))}, np.ones(1))


def test_stars_that_are_numbers_have_to_be_names(model):
    stars = DLFATextClassifier.from_preset("tiny", labels=list("12345"))
    with pytest.raises(ValueError, match="names of labels are numbers too"):
        stars.fit(FIRST, [1, 2, 5], verbose=0)
    dataset = tf.data.Dataset.from_tensor_slices((FIRST, [1, 2, 5])).batch(3)
    with pytest.raises(ValueError, match="names of labels are numbers too"):
        stars.fit(dataset, verbose=0)


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
