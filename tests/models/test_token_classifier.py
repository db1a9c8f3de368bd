"""Tests of the tagger."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.models.presets.tiny import tiny_bert_tokenizer
from dlfa_tf.preprocessing import TaggingPreprocessor
from dlfa_tf.testing.task_checks import CHECKS
from dlfa_tf.testing.task_checks import TaskCase
from dlfa_tf.testing.task_checks import loss_and_accuracy

LABELS = ["NOUN", "VERB", "DET"]
SENTENCES = ["the cat sleeps", "dogs bark"]
TAGS = ["DET NOUN VERB", "NOUN VERB"]
# One piece a letter: the row of the longest has [CLS], 12 letters, [SEP].
IDS = [[2, 0, 1], [0, 1]]
WORDS_PER_ROW = 14


# A word's tag is its last letter: the mean over its pieces does not tell.
CASE = TaskCase(
    task_class=DLFATokenClassifier,
    x=["xa yb", "yc xb xa", "c"],
    y=["NOUN VERB", "DET VERB NOUN", "DET"],
    y_ids=[[0, 1], [2, 1, 0], [2]],
    labels=LABELS,
    options={"fusion_layer": 1, "last_layer": 2},
    # The pooler's, which a tagger does not read.
    num_frozen_weights=2,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_tagger_passes_generic_check(check):
    check(CASE)


def make_model():
    encoder = keras_hub.models.BertBackbone(
        vocabulary_size=57,
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
        dropout=0.0,
    )
    model = DLFATokenClassifier(
        DLFABackbone(encoder, fusion_layer=1, reduction_ratio=2),
        preprocessor=TaggingPreprocessor(
            tiny_bert_tokenizer(), labels=LABELS, sequence_length=16
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
    """A tagger whose weights stay: no dropout, a learning rate of 0."""
    return make_model()


def word_logits(model, sentence):
    """Logits of the words of one short sentence, written out."""
    words = sentence.split()
    features = model.preprocessor(tf.constant([sentence]))
    starts = np.cumsum([1, *(len(word) for word in words)])[:-1]
    return np.asarray(model(features))[0, starts.astype(int)]


def results_of(logits, ids):
    return pytest.approx(loss_and_accuracy(logits, np.array(ids)), abs=1e-5)


def expected_results(model):
    logits = [word_logits(model, sentence) for sentence in SENTENCES]
    return results_of(np.concatenate(logits), np.concatenate(IDS))


def dataset():
    return tf.data.Dataset.from_tensor_slices((SENTENCES, TAGS)).batch(2)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (tuple(s.split() for s in SENTENCES), [t.split() for t in TAGS]),
        (dataset(), None),
    ],
    ids=["words", "dataset"],
)
def test_fit_reads_sentences_and_tags_in_every_form(model, x, y):
    history = model.fit(x, y, verbose=0).history
    # Nothing is learned and dropped: the mean over the labelled words.
    results = [history["loss"][0], history["accuracy"][0]]
    assert results == expected_results(model)


def column(rows):
    """An array of lists, as a data frame stores them."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def arrays(rows):
    return [np.array(row) for row in rows]


@pytest.mark.parametrize("form", [list, tuple, column, arrays])
def test_words_and_tags_are_sliced_in_every_form(model, form):
    words = [s.split() for s in SENTENCES]
    x, y = model.structured_x(form(words)), model.structured_y(form(IDS))
    assert x.to_list() == [[w.encode() for w in row] for row in words]
    assert y.to_list() == IDS


def test_fit_reads_validation_data_of_words(model):
    history = model.fit(
        ["a"],
        ["DET"],
        validation_data=([s.split() for s in SENTENCES], IDS),
        verbose=0,
    ).history
    results = [history["val_loss"][0], history["val_accuracy"][0]]
    assert results == expected_results(model)


def test_predict_gives_one_row_per_word(model):
    long = " ".join("abcdefghij"[i % 10] for i in range(300))
    logits = model.predict([SENTENCES[0], "", long, SENTENCES[1]])
    assert logits.shape == (4, 300, 3)
    assert logits.dtype == np.float32
    for row, sentence in ((0, SENTENCES[0]), (3, SENTENCES[1])):
        count = len(sentence.split())
        np.testing.assert_allclose(
            logits[row, :count], word_logits(model, sentence), atol=1e-5
        )
        assert (logits[row, count:] == 0).all()
    assert (logits[1] == 0).all()
    # The long one is read in rows of as many words as fit.
    words = long.split()
    for start in (0, WORDS_PER_ROW, 21 * WORDS_PER_ROW):
        piece = words[start : start + WORDS_PER_ROW]
        np.testing.assert_allclose(
            logits[2, start : start + len(piece)],
            word_logits(model, " ".join(piece)),
            atol=1e-5,
        )


@pytest.mark.parametrize(
    ("x", "shape"),
    [
        ([], (0, 0, 3)),
        ([""], (1, 0, 3)),
        ([[]], (1, 0, 3)),
        (["", "a"], (2, 1, 3)),
    ],
    ids=["nothing", "empty", "no_words", "one_empty"],
)
def test_predict_of_little(model, x, shape):
    assert model.predict(x).shape == shape


@pytest.mark.parametrize("batch_size", [1, 2])
def test_batch_size_changes_nothing(model, batch_size):
    sentences = [*SENTENCES, "", "a b c"]
    np.testing.assert_allclose(
        model.predict(sentences, batch_size=batch_size),
        model.predict(sentences),
        atol=1e-5,
    )


def test_tag_names_the_highest_logit(model):
    expected = [
        [LABELS[i] for i in word_logits(model, sentence).argmax(-1)]
        for sentence in SENTENCES
    ]
    assert model.tag([*SENTENCES, ""]) == [*expected, []]
    assert model.tag([s.split() for s in SENTENCES]) == expected
    assert model.tag(np.array(SENTENCES)) == expected
    assert model.tag(dataset(), batch_size=1) == expected
    assert model.tag(dataset().map(lambda x, y: x)) == expected
    assert model.tag([]) == []


def test_error_of_strings_beside_words(model):
    mixed = ["a b", ["c", "d"]]
    with pytest.raises(ValueError, match="`x` must not mix .*'a b' beside"):
        model.tag(mixed)
    with pytest.raises(ValueError, match="`x` must not mix"):
        model.fit(mixed, [["DET"] * 2] * 2)
    with pytest.raises(ValueError, match="`y` must not mix"):
        model.fit([["a"], ["b"]], ["DET", ["DET"]])


def test_error_of_single_sentences_in_a_data_set(model):
    words = tf.ragged.constant([s.split() for s in SENTENCES])
    tags = tf.ragged.constant([t.split() for t in TAGS])
    single = tf.data.Dataset.from_tensor_slices((words, tags))
    for method in (model.fit, model.evaluate, model.predict, model.tag):
        with pytest.raises(ValueError, match="must hold batches"):
            method(single)


def test_error_of_tag_without_preprocessor_or_labels(model):
    bare = DLFATokenClassifier(model.backbone, num_classes=3)
    with pytest.raises(ValueError, match=r"`tag` needs .*preprocessor=None"):
        bare.tag(SENTENCES)
    unnamed = DLFATokenClassifier(
        model.backbone,
        num_classes=3,
        preprocessor=TaggingPreprocessor(
            tiny_bert_tokenizer(), sequence_length=16
        ),
    )
    with pytest.raises(ValueError, match=r"labels=None\."):
        unnamed.tag(SENTENCES)
    assert unnamed.predict(SENTENCES).shape == (2, 3, 3)


def test_predict_without_preprocessor_is_per_piece(model):
    bare = DLFATokenClassifier(model.backbone, num_classes=3)
    bare.compile(run_eagerly=True)
    x = model.preprocessor(tf.constant(SENTENCES))
    logits = bare.predict(x, batch_size=1, verbose=0)
    assert logits.shape == (2, 14, 3)
    np.testing.assert_allclose(logits, np.asarray(bare(x)), atol=1e-5)


def prepared(model, padding=0):
    x, y = model.preprocessor(tf.constant(SENTENCES), y=tf.constant(TAGS))
    x = {k: np.pad(np.asarray(v), ((0, 0), (0, padding))) for k, v in x.items()}
    y = np.pad(np.asarray(y), ((0, 0), (0, padding)), constant_values=-1)
    return x, y


def test_loss_is_the_mean_over_labelled_words(model):
    x, y = prepared(model)
    assert (y >= 0).sum() == 5
    bare = keras.Model(model.input, model.output)
    bare.compile(
        loss=model.default_loss(),
        metrics=[model.default_metric()],
        run_eagerly=True,
    )
    expected = expected_results(model)
    assert bare.test_on_batch(x, y) == expected
    assert bare.test_on_batch(*prepared(model, padding=2)) == expected
    # Which positions have labels is all that counts.
    kept = np.where(np.arange(len(y))[:, None] == 0, y, -1)
    logits = word_logits(model, SENTENCES[0])
    bare.reset_metrics()
    assert bare.test_on_batch(x, kept) == results_of(logits, IDS[0])


def test_batch_without_labels_counts_nothing(model):
    x, y = prepared(model)
    y = np.full_like(y, -1)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    assert float(loss) == 0.0
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert (np.asarray(tf.convert_to_tensor(gradient)) == 0).all()
    assert model.test_on_batch(tf.constant([""]), tf.constant([""])) == [0, 0]


def test_pooler_is_frozen(model):
    frozen = [weight.path for weight in model.non_trainable_weights]
    assert frozen == ["pooled_dense/kernel", "pooled_dense/bias"]


def test_sample_weight_is_refused(model):
    with pytest.raises(ValueError, match="`sample_weight` is not supported"):
        model.fit(SENTENCES, TAGS, sample_weight=np.ones(2), verbose=0)


def weighted_loss(model, weights):
    """Mean over the words of their cross entropy times a weight."""
    logits = np.concatenate([word_logits(model, s) for s in SENTENCES])
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    ids = np.concatenate(IDS)
    found = -np.log(shares[np.arange(5), ids]) * weights
    return pytest.approx(found.mean(), abs=1e-5)


def test_class_weights_weigh_words(model):
    """Keras would take the tags of a sentence for one-hot rows."""
    wanted = weighted_loss(model, [1, 3, 1, 3, 1])
    history = model.fit(SENTENCES, TAGS, class_weight={"NOUN": 3}, verbose=0)
    assert history.history["loss"][0] == wanted
    tags = [t.split() for t in TAGS]
    for y, weight in ((tags, [3, 1, 1]), (IDS, {0: 3})):
        found = model.train_on_batch(SENTENCES, y, class_weight=weight)
        assert found[0] == wanted


def test_class_weights_weigh_words_of_a_data_set(model):
    history = model.fit(dataset(), class_weight={"NOUN": 3}, verbose=0).history
    assert history["loss"][0] == weighted_loss(model, [1, 3, 1, 3, 1])
    with pytest.raises(ValueError, match="unknown class. Received: 'ADJ'"):
        model.fit(dataset(), class_weight={"ADJ": 3}, verbose=0)


def test_class_weights_weigh_token_arrays(model):
    bare = DLFATokenClassifier(model.backbone, num_classes=3, dropout=0.0)
    bare.set_weights(model.get_weights())
    bare.compile(optimizer=keras.optimizers.SGD(0.0), run_eagerly=True)
    x, y = prepared(model)
    history = bare.fit(x, y, class_weight={0: 3}, verbose=0).history
    assert history["loss"][0] == weighted_loss(model, [1, 3, 1, 3, 1])
    data = tf.data.Dataset.from_tensors((x, y))
    with pytest.raises(ValueError, match="needs the ids of all words"):
        bare.fit(data, class_weight={0: 3}, verbose=0)
    y = np.where(y < 0, -100, y)
    with pytest.raises(
        ValueError, match=r"-100 at index \(0, 0\).* is -1 here"
    ):
        bare.fit(x, y, verbose=0)


def test_words_without_a_tag_do_not_count(model):
    ids = [[-1, 0, 1], [0, -1]]
    history = model.fit(SENTENCES, ids, verbose=0).history
    logits = [word_logits(model, s) for s in SENTENCES]
    wanted = np.concatenate([logits[0][1:], logits[1][:1]])
    results = [history["loss"][0], history["accuracy"][0]]
    assert results == results_of(wanted, [0, 1, 0])
    with pytest.raises(
        ValueError, match="-100 at word 1 of sentence 1.* is -1"
    ):
        model.fit(SENTENCES, [[0, 0, 1], [0, -100]], verbose=0)
    tags = tf.ragged.constant([[0, 0, 1], [0, -100]])
    data = tf.data.Dataset.from_tensor_slices((SENTENCES, tags)).batch(2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="-100"):
        model.fit(data, verbose=0)


def test_predict_takes_steps_and_no_callbacks(model):
    logits = model.predict(SENTENCES, batch_size=1, steps=1, verbose=0)
    assert logits.shape == (1, 3, 3)
    assert model.predict(dataset().repeat(), steps=2).shape == (4, 3, 3)
    with pytest.raises(ValueError, match="`callbacks` are not supported"):
        model.predict(SENTENCES, callbacks=[keras.callbacks.Callback()])
    with pytest.raises(TypeError, match="no argument.*'step'.*'steps'"):
        model.predict(SENTENCES, step=1)
    with pytest.raises(ValueError, match="endless data set"):
        model.tag(dataset().repeat())
    with pytest.raises(ValueError, match="`batch_size` is too small"):
        model.tag(SENTENCES, batch_size=0)


def test_error_of_tags_that_do_not_fit_the_words(model):
    with pytest.raises(
        ValueError, match="Every word needs one tag.* 2 words and `y` 1 tags"
    ):
        model.train_on_batch(tf.constant(["a b"]), tf.constant(["DET"]))


def test_long_sentences_are_trained_on_in_rows(model):
    long, tags = "a " * 20, "DET " * 20
    results = model.test_on_batch(tf.constant([long]), tf.constant([tags]))
    logits = [word_logits(model, "a " * count) for count in (14, 6)]
    expected = results_of(np.concatenate(logits), [2] * 20)
    assert results == expected


def test_sentencepiece_tagger_reads_words():
    tagger = DLFATokenClassifier.from_preset(
        "tiny_sentencepiece", fusion_layer=1, labels=LABELS
    )
    assert tagger.preprocessor.resolved_label_piece == "first_content"
    tags = tagger.tag(["the cat sees", "猫 看 书", ""])
    assert [len(sentence) for sentence in tags] == [3, 3, 0]
