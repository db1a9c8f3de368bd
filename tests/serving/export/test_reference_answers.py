"""Tests of the comparison of an export's answers with the model's."""

import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.export import export_module
from dlfa_tf.serving.export import reference_answers
from dlfa_tf.serving.export import served_forward
from dlfa_tf.serving.export.dequantised_weights import weights_only
from dlfa_tf.serving.export.metadata_file import read_metadata
from dlfa_tf.serving.export.served_graph import ServedGraph
from dlfa_tf.serving.export.warmup import as_strings

TEXTS = {"text": as_strings(["the cat sees a dog", "the cat", ""])}


def compare(model, kept_ids=None):
    return export_module._compare(model, 8, kept_ids)


def answers_of(model, forward, signature, inputs):
    function = export_module._functions(model, forward, 8)[signature]
    found = function.python_function(
        **{k: tf.constant(v) for k, v in inputs.items()}
    )
    return {k: v.numpy() for k, v in found.items()}


def spoil_one_weight(model):
    """The forward pass of an export, wrong in one number."""
    forward = served_forward.FlatForward(model)
    # Of vectors, gammas and betas among them.
    (vectors,) = (v for v in forward._packed.variables if v.shape.rank == 1)
    value = vectors.numpy()
    value[len(value) // 2] += 1.0
    vectors.assign(value)
    return forward


def test_one_wrong_weight_is_seen_and_the_export_not_kept(
    tmp_path, classifier, monkeypatch
):
    monkeypatch.setattr(served_forward, "build_forward", spoil_one_weight)
    with pytest.raises(
        RuntimeError,
        match="(?s)not kept.*FAILED  answers.*not what the model answers",
    ):
        export_saved_model(classifier, tmp_path / "a", max_batch_size=1)
    assert list((tmp_path / "a").iterdir()) == []


SPOILED = [
    ("scores", lambda x: x + 2e-4),
    ("scores", lambda x: x * np.nan),
    ("words", lambda x: x[:, ::-1]),
    ("length", lambda x: x + 1),
    ("tags", lambda x: x[:, :2]),
]


def test_every_output_is_looked_at(tagger):
    forward = served_forward.FlatForward(tagger)
    right = answers_of(tagger, forward, "serving_default", TEXTS)
    judge = compare(tagger)
    for name, spoil in SPOILED:
        found = {**right, name: spoil(right[name])}
        (problem,) = judge("serving_default", TEXTS, found)
        assert problem.startswith(f"'{name}' is not what the model answers")
    assert not list(judge("serving_default", TEXTS, right))


def test_label_is_compared_where_it_is_beyond_doubt(tagger):
    judge = reference_answers.ReferenceAnswers(
        tagger, lambda forward: export_module._functions(tagger, forward, 8)
    )
    labels = np.array([[b"A", b"B"]], object)
    for score, distance in ((0.5, 0.0), (0.6, np.inf)):
        expected = {"tags": labels[:, ::-1], "scores": np.array([[0.4, score]])}
        assert judge._distance("tags", labels, expected) == distance


def test_pieces_that_are_not_kept_are_unknown(classifier):
    pieces = classifier.preprocessor.pieces
    kept = np.array(sorted({*pieces.special_ids}), np.int32)
    pairs = {"first": as_strings(["the cat"]), "second": as_strings(["a dog"])}
    whole, small = (
        answers_of(
            classifier,
            export_module.reference_answers.KerasForward(classifier),
            "embed",
            given,
        )
        for given in (pairs, {k: as_strings(["\U0001f600"]) for k in pairs})
    )
    assert not list(compare(classifier)("embed", pairs, whole))
    assert list(compare(classifier, kept)("embed", pairs, whole))
    assert not np.allclose(whole["embedding"], small["embedding"])


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [
        ("float32", reference_answers.TOLERANCE),
        ("mixed_bfloat16", reference_answers.LOW_TOLERANCE),
    ],
)
def test_tolerance_is_that_of_the_numbers(dtype, tolerance):
    model, other = (
        DLFATextClassifier.from_preset(
            "tiny", labels=["no", "yes"], dtype=dtype
        )
        for _ in range(2)
    )
    assert reference_answers.tolerance_of(model) == tolerance
    model.quantize("int8")
    found = reference_answers.tolerance_of(model)
    assert found == reference_answers.INT8_TOLERANCE
    # Rounded weights are the model's own.
    other.quantize(config=weights_only())
    assert reference_answers.tolerance_of(other) == tolerance


def test_int8_is_small_and_gives_nearly_the_same_labels(tmp_path):
    preset = DLFATokenClassifier.from_preset(
        "tiny_sentencepiece", labels=["A", "B", "C"], sequence_length=16
    )
    encoder = keras_hub.models.BertBackbone(
        vocabulary_size=preset.backbone.token_embedding.input_dim,
        num_layers=1,
        num_heads=2,
        hidden_dim=256,
        intermediate_dim=512,
        max_sequence_length=16,
    )
    model = DLFATokenClassifier(
        DLFABackbone(encoder, fusion_layer=None),
        preprocessor=preset.preprocessor,
    )
    text = {"text": as_strings(["the cat sees a dog", "a man runs ."])}
    forward = served_forward.KerasForward(model)
    whole = answers_of(model, forward, "serving_default", text)
    size = 4 * model.count_params()
    model.quantize("int8")
    folder = export_saved_model(model, tmp_path, max_batch_size=1)
    weights = (folder / "variables").iterdir()
    assert sum(path.stat().st_size for path in weights) < size / 3
    assert read_metadata(folder)["quantization"] == "int8"
    graph = ServedGraph(folder)
    small = graph.run("serving_default", text)
    graph.close()
    assert np.mean(small["tags"] == whole["tags"]) >= 0.8
