"""Tests of what the text and the token classifier share."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.models import MaskedAccuracy
from dlfa_tf.models.task import DLFATask

ROOT = Path(__file__).resolve().parents[2]
ENCODERS = {
    "bert": keras_hub.models.BertBackbone,
    "xlm_roberta": keras_hub.models.XLMRobertaBackbone,
    "roberta": keras_hub.models.RobertaBackbone,
    "distil_bert": keras_hub.models.DistilBertBackbone,
}
TASKS = {"classifier": DLFATextClassifier, "tagger": DLFATokenClassifier}
PAIR = (["a b", "c d", "e", "f g h"], ["x", "y z", "w", "v"])
ANSWERS = ["yes", "no", "no", "yes"]


def make_backbone(kind="bert", fusion_layer=1, dtype="float32"):
    encoder = ENCODERS[kind](
        vocabulary_size=30,
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
        dropout=0.0,
        dtype=dtype,
    )
    # Layer norm over the 2 numbers of ratio 4 would know their order alone.
    return DLFABackbone(encoder, fusion_layer, reduction_ratio=2)


def make_arrays(backbone, task="classifier"):
    generator = np.random.default_rng(4)
    token_ids = generator.integers(3, 30, (4, 5))
    real = np.arange(5) < np.array([[5], [3], [4], [2]])
    x = {"token_ids": token_ids * real, "padding_mask": real}
    if "segment_ids" in backbone.input:
        x["segment_ids"] = np.zeros_like(token_ids)
    if task == "classifier":
        return x, np.array([0, 1, 2, 1])
    return x, np.where(real, token_ids % 3, -1)


def make_model(task="classifier", kind="bert", fusion_layer=1):
    model = TASKS[task](
        make_backbone(kind, fusion_layer), num_classes=3, dropout=0.0
    )
    # Tracing takes seconds and is not the point here.
    model.compile(run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def tiny():
    """A classifier of text; tests must leave it alone."""
    model = DLFATextClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["no", "yes"]
    )
    model.compile(run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trained tagger, the folder it was saved in, and some inputs."""
    model = DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=2, labels=["a", "b", "c"], gate="attention"
    )
    model.compile(optimizer=keras.optimizers.Adam(0.1), run_eagerly=True)
    x, y = ["ab c d", "e f"], ["a b c", "c a"]
    model.train_on_batch(tf.constant(x), tf.constant(y))
    folder = tmp_path_factory.mktemp("trained") / "model"
    model.save_to_preset(str(folder))
    return model, folder, x


def test_default_compilation():
    model = DLFATextClassifier(make_backbone(), num_classes=2)
    config = model.optimizer.get_config()
    assert isinstance(model.optimizer, keras.optimizers.AdamW)
    assert config["learning_rate"] == pytest.approx(2e-5)
    assert config["weight_decay"] == 0.0
    assert config["epsilon"] == 1e-8
    assert config["global_clipnorm"] == 1.0
    assert config["clipnorm"] is None
    assert isinstance(model.loss, keras.losses.SparseCategoricalCrossentropy)
    assert model.loss.get_config()["from_logits"]
    # Keras creates the metrics on first use; this is their record.
    metrics = model._compile_metrics._user_metrics
    assert type(metrics[0]) is keras.metrics.SparseCategoricalAccuracy
    tagger = DLFATokenClassifier(make_backbone(), num_classes=2)
    assert tagger.loss.get_config()["ignore_class"] == -1
    assert isinstance(tagger._compile_metrics._user_metrics[0], MaskedAccuracy)


def test_xla_is_off_unless_asked_for(monkeypatch):
    gpu = SimpleNamespace(device_type="GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda *_: [gpu])
    model = DLFATextClassifier(make_backbone(), num_classes=2)
    assert model.jit_compile is False
    model.compile(jit_compile=True)
    assert model.jit_compile is True


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_head_takes_features_as_they_are_under_any_global_policy(dtype):
    backbone = make_backbone(dtype=dtype)
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = DLFATextClassifier(backbone, num_classes=2, compile=False)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("output_dropout").compute_dtype == dtype
    assert model.get_layer("logits").compute_dtype == "float32"


def test_compilation_by_hand():
    model = DLFATextClassifier(make_backbone(), num_classes=2, compile=False)
    assert not model.compiled
    model.compile("sgd", "mse", metrics=None, run_eagerly=True)
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.loss == "mse"
    assert model.run_eagerly
    assert model._compile_metrics is None


@pytest.mark.parametrize("fusion_layer", [None, 1])
@pytest.mark.parametrize("kind", ENCODERS)
def test_every_trainable_weight_has_a_gradient(kind, fusion_layer):
    # Of both tasks, the one that reads the pooler, too.
    model = make_model("classifier", kind, fusion_layer)
    x, y = make_arrays(model.backbone)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    weights = model.trainable_variables
    for weight, gradient in zip(
        weights, tape.gradient(loss, weights), strict=True
    ):
        assert gradient is not None, weight.path
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), weight.path


@pytest.mark.parametrize("fusion_layer", [None, 1])
@pytest.mark.parametrize("task", TASKS)
def test_loss_and_metric_depend_on_logits_alone(task, fusion_layer):
    # A mask attached to the logits would drop the labels of padded positions
    # here, for fused models and not for the baseline.
    model = make_model(task, fusion_layer=fusion_layer)
    x, y = make_arrays(model.backbone, task)
    y = np.abs(y)
    logits = model(x)
    assert getattr(logits, "_keras_mask", None) is None
    logits = np.asarray(logits, "float64")
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    chosen = np.take_along_axis(shares, y[..., None], -1)
    results = model.test_on_batch(x, y, return_dict=True)
    assert results["loss"] == pytest.approx(-np.log(chosen).mean(), abs=1e-5)
    expected = (logits.argmax(-1) == y).mean()
    assert results["accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("task", TASKS)
def test_arrays_without_preprocessor(task):
    model = make_model(task)
    x, y = make_arrays(model.backbone, task)
    model.compile(optimizer=keras.optimizers.SGD(0.0), run_eagerly=True)
    loss, accuracy = model.evaluate(x, y, verbose=0)
    history = model.fit(
        x, y, batch_size=4, validation_data=(x, y), verbose=0
    ).history
    assert history["loss"] == [pytest.approx(loss)]
    assert history["val_loss"] == [pytest.approx(loss)]
    assert history["accuracy"] == [pytest.approx(accuracy)]
    logits = model.predict(x, verbose=0)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, np.asarray(model(x)), atol=1e-6)
    np.testing.assert_allclose(
        keras.Model.predict_on_batch(model, x), logits, atol=1e-6
    )


def test_validation_split_of_arrays():
    model = make_model()
    x, y = make_arrays(model.backbone)
    history = model.fit(x, y, validation_split=0.5, verbose=0).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def captured_fit(model, monkeypatch, *args, **kwargs):
    """What `fit` hands on to keras-hub."""
    calls = []
    with monkeypatch.context() as patch:
        patch.setattr(
            keras_hub.models.Task,
            "fit",
            lambda self, x, y, **more: calls.append((x, y, more)),
        )
        model.fit(*args, **kwargs)
    return calls[0]


def firsts(dataset):
    return [text.decode() for x, *_ in dataset for text in x["first"].numpy()]


def test_texts_are_shuffled_anew_every_epoch(tiny, monkeypatch):
    texts = [f"{letter}" for letter in "abcdefgh"]
    orders = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        dataset, y, options = captured_fit(
            tiny, monkeypatch, (texts, texts), [0, 1] * 4, batch_size=3
        )
        assert y is None
        assert options["batch_size"] is None
        assert [len(labels) for _, labels in dataset] == [3, 3, 2]
        orders.append([firsts(dataset), firsts(dataset)])
    assert all(sorted(o) == texts for pair in orders for o in pair)
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][0] != orders[0][1]
    assert orders[0][0] != texts


def test_texts_keep_their_order_without_shuffling(tiny, monkeypatch):
    texts = [f"{letter}" for letter in "abcdefgh"]
    dataset, _, _ = captured_fit(
        tiny, monkeypatch, (texts, texts), [0, 1] * 4, shuffle=False
    )
    assert firsts(dataset) == texts
    assert [len(labels) for _, labels in dataset] == [8]


def test_pairs_and_labels_stay_together(tiny, monkeypatch):
    dataset, _, _ = captured_fit(
        tiny, monkeypatch, PAIR, ANSWERS, sample_weight=[1.0, 2.0, 3.0, 4.0]
    )
    ((x, y, weight),) = dataset
    rows = zip(x["first"], x["second"], y, weight, strict=True)
    expected = zip(*PAIR, ANSWERS, [1.0, 2.0, 3.0, 4.0], strict=True)
    found = {
        (a.numpy().decode(), b.numpy().decode(), c.numpy().decode(), float(d))
        for a, b, c, d in rows
    }
    assert found == set(expected)


def test_validation_split_takes_the_last_texts(tiny, monkeypatch):
    dataset, _, options = captured_fit(
        tiny, monkeypatch, PAIR, ANSWERS, validation_split=0.25
    )
    assert sorted(firsts(dataset)) == sorted(PAIR[0][:3])
    assert firsts(options["validation_data"]) == PAIR[0][3:]
    assert "validation_split" not in options


def test_validation_data_win_over_validation_split(tiny, monkeypatch):
    dataset, _, options = captured_fit(
        tiny,
        monkeypatch,
        PAIR,
        ANSWERS,
        validation_split=0.25,
        validation_data=(PAIR, ANSWERS),
    )
    assert len(firsts(dataset)) == 4
    assert firsts(options["validation_data"]) == PAIR[0]


@pytest.mark.parametrize("pair", [tuple, list])
@pytest.mark.parametrize(
    ("asked_for", "sizes"),
    [
        ({}, [4]),
        ({"batch_size": 3}, [3, 1]),
        ({"batch_size": 1, "validation_batch_size": 3}, [3, 1]),
    ],
    ids=["default", "of training", "own"],
)
def test_validation_data_come_in_batches_as_asked_for(
    tiny, monkeypatch, pair, asked_for, sizes
):
    _, _, options = captured_fit(
        tiny,
        monkeypatch,
        PAIR,
        ANSWERS,
        validation_data=pair((PAIR, ANSWERS)),
        **asked_for,
    )
    assert [len(y) for _, y in options["validation_data"]] == sizes
    assert "validation_batch_size" not in options


def test_validation_split_comes_in_batches_as_asked_for(tiny, monkeypatch):
    _, _, options = captured_fit(
        tiny,
        monkeypatch,
        PAIR,
        ANSWERS,
        batch_size=1,
        validation_split=0.75,
        validation_batch_size=2,
    )
    assert [len(y) for _, y in options["validation_data"]] == [2, 1]


def test_error_of_validation_split(tiny):
    with pytest.raises(ValueError, match=r"no examples.*: 0\.9 for 4 examples"):
        tiny.fit(PAIR, ANSWERS, validation_split=0.9)


def test_error_of_data_set_without_batches(tiny):
    dataset = tf.data.Dataset.from_tensor_slices((PAIR, ANSWERS))
    for method in (tiny.fit, tiny.evaluate, tiny.predict):
        with pytest.raises(ValueError, match=r"must hold batches.*\.batch\("):
            method(dataset)
    with pytest.raises(ValueError, match="must hold batches"):
        tiny.fit(PAIR, ANSWERS, validation_data=dataset)


def test_error_of_text_without_tensorflow(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    message = "needs the packages `tensorflow` and"
    with pytest.raises(ImportError, match=message):
        tiny.fit(PAIR, ANSWERS)
    with pytest.raises(ImportError, match=message):
        tiny.evaluate(PAIR, ANSWERS)
    with pytest.raises(ImportError, match=message):
        tiny.predict(PAIR)


def test_preset_folder_keeps_everything(trained):
    model, folder, x = trained
    copy = DLFATokenClassifier.from_preset(str(folder))
    assert copy.labels == ["a", "b", "c"]
    assert copy.num_classes == 3
    assert copy.preprocessor.labels == ["a", "b", "c"]
    assert copy.backbone.fusion_layer == 2
    assert copy.backbone.gate == "attention"
    features = model.preprocessor(tf.constant(x))
    np.testing.assert_array_equal(
        np.asarray(copy(features)), np.asarray(model(features))
    )
    # The base class finds out which class was saved.
    assert type(DLFATask.from_preset(str(folder))) is DLFATokenClassifier


def test_preset_folder_holds_no_optimizer_state(trained):
    model, folder, _ = trained
    # The fixture's optimizer has two moments of every weight.
    assert len(model.optimizer.variables) > 2 * len(model.trainable_weights)
    path = folder / "task.weights.h5"
    with h5py.File(path) as file:
        found = []
        file.visititems(
            lambda name, item: (
                found.append((name, item.shape))
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    assert sorted(shape for _, shape in found) == [(3,), (8, 3)]
    assert not any("optimizer" in name for name, _ in found)
    assert path.stat().st_size < 25_000


def test_preset_folder_without_weights(trained):
    model, folder, _ = trained
    fresh = DLFATokenClassifier.from_preset(str(folder), load_weights=False)
    kernels = [m.get_layer("logits").get_weights()[0] for m in (model, fresh)]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-3


def test_preset_folder_by_bare_name(trained, monkeypatch):
    _, folder, _ = trained
    monkeypatch.chdir(folder.parent)
    model = DLFATokenClassifier.from_preset("model", dropout=0.4)
    assert model.dropout == 0.4


def test_dtype_at_load_holds_for_all_but_the_logits(trained):
    _, folder, x = trained
    model = DLFATokenClassifier.from_preset(str(folder), dtype="mixed_bfloat16")
    backbone = model.backbone
    for layer in (backbone, backbone.encoder, *backbone.layers):
        if layer.weights:
            assert layer.compute_dtype == "bfloat16"
            assert layer.variable_dtype == "float32"
    assert model.get_layer("logits").dtype_policy.name == "float32"
    logits = model(model.preprocessor(tf.constant(x)))
    assert logits.dtype == "float32"


def test_error_of_preset_of_another_task(trained):
    _, folder, _ = trained
    message = r"is a DLFATokenClassifier, not a DLFATextClassifier\. Accepted:"
    with pytest.raises(ValueError, match=message):
        DLFATextClassifier.from_preset(str(folder))


def test_error_of_arguments_that_change_a_saved_model(trained):
    _, folder, _ = trained
    with pytest.raises(ValueError, match="A saved model keeps its own fusion"):
        DLFATokenClassifier.from_preset(str(folder), fusion_layer=1)
    with pytest.raises(ValueError, match=r"Received: \{'num_classes': 3\}"):
        DLFATokenClassifier.from_preset(str(folder), num_classes=3)
    with pytest.raises(TypeError, match="'fusion_block'"):
        DLFATokenClassifier.from_preset(str(folder), fusion_block=1)


def test_error_of_preset_of_a_backbone(trained, tmp_path):
    model, _, _ = trained
    model.backbone.save_to_preset(str(tmp_path / "b"))
    with pytest.raises(ValueError, match="holds a backbone without a task"):
        DLFATokenClassifier.from_preset(str(tmp_path / "b"))
    backbone = DLFABackbone.from_preset(str(tmp_path / "b"))
    assert DLFATextClassifier(backbone, num_classes=2).num_classes == 2


@pytest.mark.parametrize("cls", TASKS.values(), ids=TASKS)
def test_error_of_labels_and_unknown_arguments(cls):
    backbone = make_backbone()
    with pytest.raises(ValueError, match="Either `labels`"):
        cls(backbone)
    with pytest.raises(ValueError, match="disagree"):
        cls(backbone, num_classes=3, labels=["a", "b"])
    with pytest.raises(TypeError, match="gate"):
        cls(backbone, num_classes=3, gate="attention")


@pytest.mark.parametrize("cls", [DLFATextClassifier, DLFATokenClassifier])
def test_error_of_longer_rows_than_the_encoder_has_positions(cls):
    message = r"`sequence_length` is larger.*Received: 513\. .* up to 512 "
    with pytest.raises(ValueError, match=message):
        cls.from_preset("tiny", sequence_length=513, num_classes=2)
    model = cls.from_preset("tiny", sequence_length=512, num_classes=2)
    assert model.preprocessor.sequence_length == 512


def test_base_class_has_no_loss_of_its_own():
    with pytest.raises(NotImplementedError):
        DLFATask.default_loss(None)
    with pytest.raises(NotImplementedError):
        DLFATask.default_metric(None)


def test_config_round_trip():
    model = DLFATextClassifier(
        make_backbone(), labels=["a", "b"], dropout=0.2, name="m"
    )
    copy = DLFATextClassifier.from_config(model.get_config())
    assert copy.get_config() == model.get_config()
    assert copy.name == "m"
    assert copy.labels == ["a", "b"]
    assert copy.num_classes == 2
    assert copy.dropout == copy.get_layer("output_dropout").rate == 0.2


def test_untrained_model_is_reloaded_without_a_warning(tmp_path):
    model = make_model()
    model.save(tmp_path / "m.keras")
    copy = keras.saving.load_model(tmp_path / "m.keras")
    assert copy.compiled
    assert copy.run_eagerly
    assert not copy.optimizer.built
    model = DLFATextClassifier(make_backbone(), num_classes=2, compile=False)
    model.save(tmp_path / "m.keras")
    copy = keras.saving.load_model(tmp_path / "m.keras")
    assert not copy.compiled


def test_dtype_at_load_wins_over_the_saved_policy(tmp_path):
    model = DLFATextClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["no", "yes"], dtype="mixed_bfloat16"
    )
    model.save_to_preset(str(tmp_path / "m"))
    copy = DLFATextClassifier.from_preset(str(tmp_path / "m"), dtype="float32")
    assert copy.backbone.dtype_policy.name == "float32"


def test_lora_trains_with_the_head():
    model = make_model("classifier")
    model.backbone.enable_lora(2)
    model.compile(optimizer=keras.optimizers.SGD(0.5), run_eagerly=True)
    kernel = model.backbone.token_embedding.embeddings
    before = kernel.numpy()
    loss = model.train_on_batch(*make_arrays(model.backbone))[0]
    np.testing.assert_array_equal(kernel.numpy(), before)
    assert np.isfinite(loss)


def test_frozen_encoder_leaves_fusion_and_head_to_train():
    model = make_model("classifier")
    model.backbone.encoder.trainable = False
    before = {w.path: w.numpy() for w in model.weights}
    model.fit(*make_arrays(model.backbone), verbose=0)
    moved = {
        w.path.split("/")[0]
        for w in model.weights
        if not np.array_equal(w.numpy(), before[w.path])
    }
    assert moved == {"dlfa", "logits"}


@pytest.mark.parametrize("task", TASKS)
def test_accumulated_gradients_make_one_step(task):
    """Two batches of two rows move the weights as one of four does."""
    whole, halves = make_model(task), make_model(task)
    halves.set_weights(whole.get_weights())
    for model, steps in ((whole, None), (halves, 2)):
        model.compile(
            optimizer=keras.optimizers.SGD(
                0.5, gradient_accumulation_steps=steps
            ),
            run_eagerly=True,
        )
    x, y = make_arrays(whole.backbone, task)
    if task == "tagger":
        # As many labels in each half: each half's loss is a mean over its own.
        y = np.where(np.arange(5) < 2, y, -1)
    start = halves.get_weights()
    whole.train_on_batch(x, y)
    for rows in (slice(0, 2), slice(2, 4)):
        halves.train_on_batch({k: v[rows] for k, v in x.items()}, y[rows])
        if rows.start == 0:
            for weight, value in zip(halves.weights, start, strict=True):
                np.testing.assert_array_equal(weight, value)
    for one, two in zip(whole.weights, halves.weights, strict=True):
        # float32, summed in another order.
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_int8_serves_nearly_the_same_and_is_reloaded(tmp_path):
    model = DLFATextClassifier.from_preset(
        "tiny", fusion_layer=1, last_layer=2, labels=["no", "yes"]
    )
    features = model.preprocessor(PAIR)
    wanted = model(features).numpy()
    model.quantize("int8")
    found = model(features).numpy()
    assert not np.array_equal(found, wanted)
    # Sums of 8 numbers, rounded to 8 bits each, one after the other.
    np.testing.assert_allclose(found, wanted, atol=0.1 * abs(wanted).max())
    kinds = {w.dtype for w in model.backbone.weights}
    assert "int8" in kinds
    assert model.get_layer("logits").kernel.dtype == "float32"
    assert all(v.dtype != "int8" for v in model.trainable_variables)
    model.save(tmp_path / "m.keras")
    model.save_to_preset(str(tmp_path / "preset"))
    for copy in (
        keras.saving.load_model(tmp_path / "m.keras"),
        DLFATextClassifier.from_preset(str(tmp_path / "preset")),
    ):
        np.testing.assert_array_equal(copy(features).numpy(), found)


def test_other_quantisation_is_refused():
    with pytest.raises(ValueError, match="Received: 'int4'. Accepted: 'int8'"):
        make_model().quantize("int4")


WITHOUT_TENSORFLOW = """
import sys
for name in ("tensorflow", "tensorflow_text", "grain"):
    sys.modules[name] = None
import keras
import keras_hub
import numpy as np
from dlfa_tf.models import DLFABackbone, DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier

assert keras.backend.backend() == "jax"
encoder = keras_hub.models.BertBackbone(
    vocabulary_size=30, num_layers=3, num_heads=2, hidden_dim=8,
    intermediate_dim=16, max_sequence_length=16)
ids = np.array([[1, 5, 6, 2], [1, 7, 2, 0]])
x = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids > 0}
for cls, y in ((DLFATextClassifier, [0, 1]),
               (DLFATokenClassifier, np.where(ids > 2, ids % 2, -1))):
    model = cls(DLFABackbone(encoder, 1), num_classes=2)
    loss = model.fit(x, np.array(y), verbose=0).history["loss"][0]
    assert np.isfinite(loss)
    logits = model.predict(x, verbose=0)
    model.save("m.keras")
    copy = keras.saving.load_model("m.keras")
    np.testing.assert_array_equal(copy.predict(x, verbose=0), logits)
tagger = DLFATokenClassifier.from_preset("tiny", labels=["a", "b"])
try:
    tagger.predict(["a b"])
except ImportError as error:
    assert "tensorflow-text" in str(error)
else:
    raise AssertionError("text was read without TensorFlow")
"""


@pytest.mark.slow
def test_models_run_on_jax_without_tensorflow(tmp_path):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed, an optional backend of Keras")
    path = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    )
    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": path},
    )
