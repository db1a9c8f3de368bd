"""Tests of the classifier of texts and pairs."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models.presets.tiny import tiny_bert_tokenizer
from dlfa_tf.preprocessing import PairPreprocessor

FIRST = ["the cat", "a dog runs", "it"]
SECOND = ["sees", "no cat", "is a big house"]
ANSWERS = ["yes", "no", "yes"]
IDS = [1, 0, 1]


def make_model(learning_rate=0.0, num_layers=3):
    encoder = keras_hub.models.BertBackbone(
        vocabulary_size=57,
        num_layers=num_layers,
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
    optimizer = keras.optimizers.SGD(learning_rate)
    model.compile(optimizer=optimizer, run_eagerly=True)
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


def loss_and_accuracy(logits, ids):
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    loss = -np.log(shares[np.arange(len(ids)), ids]).mean()
    return pytest.approx([loss, (logits.argmax(-1) == ids).mean()], abs=1e-5)


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
        pairs_dataset(False, "dict"),
    ],
    ids=["tuple", "dict", "dataset"],
)
def test_predict_takes_pairs_in_every_form(model, x):
    np.testing.assert_allclose(
        model.predict(x, verbose=0),
        logits_of(model, FIRST, SECOND),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "x",
    [FIRST, tuple([np.array(FIRST)])],
    ids=["list", "tuple_of_one"],
)
def test_predict_takes_single_texts(model, x):
    logits = model.predict(x, verbose=0)
    np.testing.assert_allclose(logits, logits_of(model, FIRST), atol=1e-5)
    pair = logits_of(model, FIRST, SECOND)
    assert np.abs(logits - pair).max() > 1e-3


def test_batch_methods_take_pairs(model):
    logits = logits_of(model, FIRST, SECOND)
    np.testing.assert_allclose(
        model.predict_on_batch((FIRST, SECOND)), logits, atol=1e-5
    )
    x = (tf.constant(FIRST), tf.constant(SECOND))
    expected = loss_and_accuracy(logits, IDS)
    assert model.test_on_batch(x, tf.constant(ANSWERS)) == expected
    assert model.train_on_batch(x, tf.constant(ANSWERS)) == expected


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ((FIRST, SECOND), tuple(ANSWERS)),
        ({"first": FIRST, "second": SECOND}, np.array(IDS)),
        (pairs_dataset(True, "tuple"), None),
        (pairs_dataset(True, "dict"), None),
    ],
    ids=["strings", "dict", "tuple_dataset", "dict_dataset"],
)
def test_fit_reads_pairs_and_labels_in_every_form(model, x, y):
    history = model.fit(x, y, verbose=0).history
    # Nothing is learned and dropped, so this is the loss of the batch.
    expected = loss_and_accuracy(logits_of(model, FIRST, SECOND), IDS)
    assert [history["loss"][0], history["accuracy"][0]] == expected


def test_fit_and_evaluate_read_single_texts(model):
    expected = loss_and_accuracy(logits_of(model, FIRST), IDS)
    history = model.fit(FIRST, ANSWERS, batch_size=2, verbose=0).history
    assert [history["loss"][0], history["accuracy"][0]] == expected
    assert model.evaluate(FIRST, IDS, batch_size=3, verbose=0) == expected


def test_evaluate_reads_pairs(model):
    expected = loss_and_accuracy(logits_of(model, FIRST, SECOND), IDS)
    assert model.evaluate((FIRST, SECOND), ANSWERS, verbose=0) == expected


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
        assert results == loss_and_accuracy(logits[rows], IDS[rows])


def test_fit_splits_validation_data_off(model):
    history = model.fit(
        (FIRST, SECOND), ANSWERS, validation_split=0.4, verbose=0
    ).history
    logits = logits_of(model, FIRST, SECOND)
    for name, rows in (("", slice(0, 1)), ("val_", slice(1, 3))):
        results = [history[f"{name}loss"][0], history[f"{name}accuracy"][0]]
        assert results == loss_and_accuracy(logits[rows], IDS[rows])


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


def test_reloaded_model_goes_on_training(tmp_path):
    model = make_model()
    model.compile(optimizer=keras.optimizers.Adam(0.1), run_eagerly=True)
    batch = (
        (tf.constant(FIRST), tf.constant(SECOND)),
        tf.constant(ANSWERS),
    )
    model.train_on_batch(*batch)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert copy.labels == ["no", "yes"]
    assert copy.preprocessor.sequence_length == 64
    assert int(copy.optimizer.iterations) == 1
    for old, new in zip(
        model.optimizer.variables, copy.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(old.numpy(), new.numpy())
    assert model.train_on_batch(*batch) == copy.train_on_batch(*batch)
    for old, new in zip(model.weights, copy.weights, strict=True):
        # Sums of gradients may be taken in another order.
        np.testing.assert_allclose(old.numpy(), new.numpy(), atol=1e-5)


def test_pairs_are_learned():
    # The answer is in the second text alone.
    model = make_model(num_layers=2)
    # With a compiled step, as users have it.
    model.compile(optimizer=keras.optimizers.Adam(0.05))
    generator = np.random.default_rng(1)
    first = tf.constant(generator.choice(["c", "d"], 16))
    second = tf.constant(generator.choice(["a", "b"], 16))
    y = tf.where(second == "a", "yes", "no")
    losses = [model.train_on_batch((first, second), y)[0] for _ in range(15)]
    assert losses[-1] < 0.3 * losses[0]
    assert model.train_on_batch((first, second), y)[1] > 0.9
