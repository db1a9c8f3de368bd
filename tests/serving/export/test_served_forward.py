"""Tests of the export's own forward pass against the Keras model."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import graph_counts
from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.export import served_forward
from dlfa_tf.serving.export.dequantised_weights import weights_only
from dlfa_tf.serving.export.served_forward import FlatForward
from dlfa_tf.serving.export.served_forward import KerasForward
from dlfa_tf.serving.export.served_graph import ServedGraph

ENCODERS = {
    "bert": keras_hub.models.BertBackbone,
    "distil_bert": keras_hub.models.DistilBertBackbone,
    "roberta": keras_hub.models.RobertaBackbone,
    "xlm_roberta": keras_hub.models.XLMRobertaBackbone,
}
TOLERANCE = 1e-5  # float32, sums in another order
# Of the e5 tagger, which has twelve blocks; the rest is what text costs.
NODES, NODES_OF_A_BLOCK = 400, 75
OPS, OPS_OF_A_BLOCK = 508, 16


def nodes_allowed(blocks):
    return NODES + NODES_OF_A_BLOCK * blocks


def ops_allowed(blocks):
    return OPS + OPS_OF_A_BLOCK * blocks


@keras.saving.register_keras_serializable(package="test_served_forward")
class Doubling(keras.layers.Layer):
    """A fusion of a user's, with a weight and a look at the mask."""

    def build(self, low_shape, high_shape):
        self.scale = self.add_weight(shape=(low_shape[-1],), name="scale")

    def call(self, low, high, padding_mask=None):
        real = keras.ops.cast(padding_mask, low.dtype)[..., None]
        return 2.0 * low * self.scale * real + high

    def compute_output_shape(self, low_shape, high_shape):
        return low_shape


def randomise(model):
    """Gives every weight a value that is no usual start."""
    generator = np.random.default_rng(1)
    for weight in model.weights:
        value = generator.normal(0.0, 0.3, tuple(weight.shape))
        if "variance" in weight.path or "gamma" in weight.path:
            value = 1.0 + np.abs(value)
        weight.assign(value)


def make_encoder(cls=keras_hub.models.BertBackbone, **kwargs):
    arguments = {
        "vocabulary_size": 30,
        "num_layers": 2,
        "num_heads": 2,
        "hidden_dim": 8,
        "intermediate_dim": 12,
        "max_sequence_length": 8,
    }
    return cls(**{**arguments, **kwargs})


def make_model(encoder=None, task=DLFATokenClassifier, **kwargs):
    backbone = DLFABackbone(
        make_encoder() if encoder is None else encoder, **kwargs
    )
    model = task(backbone, num_classes=3, compile=False)
    randomise(model)
    return model


def make_features(model):
    ids = np.array([[1, 5, 6, 7, 2], [1, 9, 2, 0, 0], [1, 4, 8, 2, 0]])
    features = {"token_ids": ids, "padding_mask": ids > 0}
    if "segment_ids" in model.backbone.input:
        features["segment_ids"] = (ids > 6).astype("int32")
    return {k: tf.constant(v) for k, v in features.items()}


def save_vectors(folder, forward, features):
    """Exports a signature `vectors`, computed in a loop as signatures do."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], v.dtype, name=k)
            for k, v in features.items()
        ]
    )
    def vectors(*values):
        def step(i, _):
            given = dict(zip(features, values, strict=True))
            return i + 1, forward(given, "vector")[1]

        start = tf.zeros([tf.shape(values[0])[0], 8])
        return {
            "vector": tf.while_loop(lambda i, _: i < 1, step, (0, start))[1]
        }

    module = tf.Module()
    module.variables_of_model = forward.variables
    module.resources_of_model = forward.resources
    tf.saved_model.save(module, str(folder), signatures={"vectors": vectors})


def assert_equal_to_keras(model, tolerance=TOLERANCE):
    forward = served_forward.build_forward(model)
    assert isinstance(forward, FlatForward)
    features = make_features(model)
    expected = KerasForward(model)(features)
    found = forward(features)
    real = features["padding_mask"].numpy()
    for was, wanted in zip(found, expected, strict=True):
        assert was.dtype == wanted.dtype
        was, wanted = (np.array(tf.cast(x, "float32")) for x in (was, wanted))
        assert was.shape == wanted.shape
        if was.ndim == 3:
            # What stands at padding is read by nobody.
            was, wanted = was[real], wanted[real]
        np.testing.assert_allclose(was, wanted, atol=tolerance)
    return forward


@pytest.mark.parametrize(
    ("encoder", "task"),
    [
        ("bert", DLFATextClassifier),
        ("bert", DLFATokenClassifier),
        ("distil_bert", DLFATokenClassifier),
        ("roberta", DLFATextClassifier),
        ("xlm_roberta", DLFATokenClassifier),
    ],
)
def test_every_encoder(encoder, task):
    encoder = make_encoder(ENCODERS[encoder])
    assert_equal_to_keras(make_model(encoder, task, fusion_layer=1))


@pytest.mark.parametrize(
    "options",
    [
        {"fusion_layer": None},
        {"fusion_layer": 0},
        {"fusion_layer": 1, "fusion": "mean"},
        {"fusion": "scalar_mix"},
        {"fusion_layer": 1, "gate": "attention", "first": "high"},
        {"fusion_layer": 1, "norm": "batch", "mix_factor": 2.0},
        {"fusion_layer": 1, "norm": "none", "activation": "tanh"},
        {"fusion_layer": 1, "pooling": "first", "output_norm": "layer"},
        {"fusion_layer": 1, "branches": "local"},
        {"fusion_layer": 1, "branches": "global"},
        {"fusion_layer": 0, "last_layer": 1},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_fusion(options):
    assert_equal_to_keras(make_model(**options))


def test_own_fusion_is_called_as_keras_calls_it():
    layer = Doubling(name="doubling")
    model = make_model(fusion_layer=1, fusion=layer)
    forward = assert_equal_to_keras(model)
    assert any(v is layer.scale.value for v in forward.variables)


def test_fusion_of_a_user_s_reads_zeros_at_padding():
    class Summing(Doubling):
        def call(self, low, high, padding_mask=None):
            return low + keras.ops.sum(high, axis=1, keepdims=True)

    model = make_model(fusion_layer=1, fusion=Summing())
    features = make_features(model)
    forward = FlatForward(model)
    alone, _ = forward({k: v[1:2, :3] for k, v in features.items()})
    np.testing.assert_allclose(
        forward(features)[0][1:2, :3], alone, atol=TOLERANCE
    )


@pytest.mark.parametrize("pooler", ["encoder", "new", "none"])
@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_every_sentence_vector(pooling, pooler):
    model = make_model(
        task=DLFATextClassifier, sentence_pooling=pooling, pooler=pooler
    )
    assert_equal_to_keras(model)


def test_blocks_that_normalise_first_and_have_another_activation():
    encoder = make_encoder()
    for block in encoder.transformer_layers:
        block.normalize_first = True
        block._feedforward_intermediate_dense.activation = (
            keras.activations.relu
        )
    assert_equal_to_keras(make_model(encoder, fusion_layer=1))


def test_low_rank_factors_are_merged():
    model = make_model(fusion_layer=1)
    model.backbone.enable_lora(2)
    randomise(model)
    factors = [v for v in model.variables if "lora" in v.path]
    assert factors
    forward = assert_equal_to_keras(model)
    read = {id(v) for v in forward.variables}
    assert read.isdisjoint(id(factor.value) for factor in factors)


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_bfloat16"])
def test_low_precision(dtype):
    encoder = make_encoder(dtype=dtype)
    forward = assert_equal_to_keras(
        # bfloat16 has eight bits, and the two round in other places.
        make_model(encoder, DLFATextClassifier, fusion_layer=1),
        tolerance=0.1,
    )
    stacked = [v.dtype for v in forward.variables if v.shape.rank == 3]
    assert tf.bfloat16 in stacked


WEIGHTS_ONLY = weights_only()


def test_kernels_in_int8_are_multiplied_out():
    model = make_model(fusion_layer=1)
    features = make_features(model)
    before = KerasForward(model)(features)[0].numpy()
    model.quantize(config=WEIGHTS_ONLY)
    forward = assert_equal_to_keras(model)
    after = forward(features)[0].numpy()
    real = features["padding_mask"].numpy()
    assert not np.allclose(after[real], before[real], atol=TOLERANCE)
    # Nothing but vectors, scales, norms and the head is stored in float32.
    stored = {v.dtype for v in forward.variables if v.shape.rank == 3}
    assert tf.int8 in stored
    assert len(forward.resources) == sum(
        v.dtype == tf.int8 and v.shape.rank == 3 for v in forward.variables
    )


def test_kernels_in_int8_are_computed_with_in_bfloat16():
    found = {}
    for dtype in ("float32", "mixed_bfloat16"):
        encoder = make_encoder(dtype=dtype)
        model = make_model(encoder, DLFATextClassifier, fusion_layer=1)
        model.quantize(config=WEIGHTS_ONLY)
        forward = FlatForward(model)
        found[dtype] = forward(make_features(model))[1]
    assert {x.read().dtype for x in forward.resources} == {tf.bfloat16}
    half = found["mixed_bfloat16"]
    assert half.dtype == tf.bfloat16
    # Eight bits; one of the rows has a small deviation to divide by.
    np.testing.assert_allclose(
        tf.cast(half, tf.float32), found["float32"], atol=0.2
    )


def test_inputs_in_int8_are_left_to_keras():
    model = make_model(fusion_layer=1)
    model.quantize("int8")
    assert isinstance(served_forward.build_forward(model), KerasForward)


def test_two_exports_in_int8_in_one_process(tmp_path):
    forwards, graphs, eager = [], [], []
    for number in range(2):
        model = make_model(fusion_layer=1)
        for weight in model.weights:
            weight.assign(weight * (1.0 + number))
        model.quantize(config=WEIGHTS_ONLY)
        features = make_features(model)
        forwards.append(FlatForward(model))
        folder = tmp_path / str(number)
        save_vectors(folder, forwards[-1], features)
        graphs.append(ServedGraph(folder))
        eager.append(tf.saved_model.load(str(folder)))
    inputs = {k: v.numpy() for k, v in features.items()}
    expected = [forward(features)[1].numpy() for forward in forwards]
    assert not np.allclose(*expected, atol=0.01)
    for graph, loaded, wanted in zip(graphs, eager, expected, strict=True):
        for found in (
            graph.run("vectors", inputs),
            loaded.signatures["vectors"](**features),
        ):
            np.testing.assert_allclose(
                found["vector"], wanted, atol=10 * TOLERANCE
            )
        graph.close()


def test_unknown_block_is_called_as_keras_calls_it(monkeypatch):
    model = make_model(fusion_layer=1)

    class OwnBlock(keras_hub.layers.TransformerEncoder):
        """May compute anything."""

    model.backbone.encoder.transformer_layers[1].__class__ = OwnBlock
    assert isinstance(served_forward.build_forward(model), KerasForward)


def test_session_computes_what_the_model_does(tmp_path):
    # TensorFlow 2.20 reads wrong gammas and betas when it fuses a layer norm
    # whose weights are outputs of one op. Only random ones show it, and only
    # in a loop, which is optimised otherwise.
    model = make_model(fusion_layer=1)
    forward = FlatForward(model)
    features = make_features(model)

    save_vectors(tmp_path, forward, features)
    graph = ServedGraph(tmp_path)
    inputs = {k: v.numpy() for k, v in features.items()}
    found = graph.run("vectors", inputs)["vector"]
    graph.close()
    expected = KerasForward(model)(features)[1]
    # The fused ops round otherwise; the wrong weights are wrong by units.
    np.testing.assert_allclose(found, expected, atol=10 * TOLERANCE)


def test_no_rows():
    model = make_model(fusion_layer=1)
    features = {k: v[:0] for k, v in make_features(model).items()}
    logits, vector = FlatForward(model)(features)
    assert logits.shape == (0, 5, 3)
    assert vector.shape == (0, 8)


def test_exports_stay_small(tagger_export, classifier_export):
    for folder in (tagger_export, classifier_export):
        assert graph_counts.loop_body_nodes(folder) <= nodes_allowed(2)
    text = {"text": np.array([b"the cat sees a dog"], object)}
    pair = {"first": text["text"], "second": text["text"]}
    for folder, inputs in ((tagger_export, text), (classifier_export, pair)):
        count = graph_counts.executed_ops(folder, "serving_default", inputs)
        # WordPiece, or two texts to tokenise, cost more.
        assert count <= ops_allowed(2) + 40


@pytest.mark.slow
def test_tagger_of_twelve_blocks_stays_small(tmp_path):
    encoder = make_encoder(
        num_layers=12, vocabulary_size=112, max_sequence_length=32
    )
    preset = DLFATokenClassifier.from_preset(
        "tiny_sentencepiece", labels=["A", "B"], sequence_length=32
    )
    model = DLFATokenClassifier(
        DLFABackbone(encoder, fusion_layer=9), preprocessor=preset.preprocessor
    )
    folder = export_saved_model(model, tmp_path, max_batch_size=1)
    # The targets of the e5 tagger, whatever its width.
    assert graph_counts.loop_body_nodes(folder) <= nodes_allowed(12) <= 1300
    text = {"text": np.array([b"the cat sees"], object)}
    for signature in ("serving_default", "embed"):
        count = graph_counts.executed_ops(folder, signature, text)
        assert count <= ops_allowed(12) <= 700
