"""What is read of models, against the models themselves."""

import numpy as np
import pytest

from dlfa_tf.analysis.readings import POSITIONS
from dlfa_tf.analysis.readings import build_reader
from dlfa_tf.analysis.readings import has_model
from dlfa_tf.analysis.readings import read_run
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier


def classifier(fusion_layer, gate="feature"):
    return DLFATextClassifier.from_preset(
        "tiny",
        fusion_layer=fusion_layer,
        gate=gate,
        labels=list(get_task("pawsx").labels),
    )


def save_run(lab, system, model, task="pawsx"):
    folder = lab.run(task, system)
    model.save_to_preset(str(folder / "model"))
    return load_runs(folder).runs[0]


def read(run, lab, languages, items, task="pawsx"):
    source = Source(task=get_task(task), name="files", data_dir=str(lab.data))
    return read_run(run, {x: source.load("test", x, items) for x in languages})


def features_of(rows=2, time=6):
    ids = np.random.default_rng(0).integers(5, 20, size=(rows, time))
    mask = np.ones((rows, time), "int32")
    mask[1, 4:] = 0
    return {
        "token_ids": ids.astype("int32"),
        "segment_ids": np.zeros((rows, time), "int32"),
        "padding_mask": mask,
    }


@pytest.mark.parametrize("gate", ["feature", "attention"])
def test_reader_follows_equation_2(eager, gate):
    model = classifier(1, gate)
    dlfa = model.backbone.get_layer("dlfa")
    for weight in dlfa.trainable_weights:
        weight.assign(np.random.normal(size=weight.shape))
    features = features_of()
    found = build_reader(model).predict_on_batch(features)
    fused = model.backbone.predict_on_batch(features)["sequence_output"]
    np.testing.assert_allclose(found["vector"], fused[:, 0], atol=1e-5)
    from dlfa_tf.models.dlfa_backbone import DLFABackbone

    states = DLFABackbone(
        model.backbone.encoder, output_hidden_states=[1, 3]
    ).predict_on_batch(features)["hidden_states"]
    low, high = states["1"], states["3"]
    weight = np.asarray(
        dlfa.compute_gate(low, high, mask=features["padding_mask"])
    )
    np.testing.assert_allclose(
        low * weight + high * (1 - weight), fused, atol=1e-5
    )
    part = np.abs(low * weight).sum(-1)
    other = np.abs(high * (1 - weight)).sum(-1)
    np.testing.assert_allclose(found["share"], part / (part + other), atol=1e-5)
    np.testing.assert_allclose(found["gate"], weight.mean(-1), atol=1e-5)


def test_baseline_has_no_gate(eager):
    assert set(build_reader(classifier(None)).output) == {"vector"}


def test_mean_pooling_is_read_as_the_head_reads_it(eager):
    model = DLFATextClassifier.from_preset(
        "tiny",
        labels=list(get_task("pawsx").labels),
        sentence_pooling="mean",
        pooler="none",
    )
    features = features_of()
    found = build_reader(model).predict_on_batch(features)["vector"]
    outputs = model.backbone.predict_on_batch(features)
    # Without a pooler the head reads the very vector.
    np.testing.assert_allclose(found, outputs["pooled_output"], atol=1e-6)
    first = outputs["sequence_output"][:, 0]
    assert np.abs(found - first).max() > 0.1


def test_cosines_are_of_translations(eager, lab):
    run = save_run(lab, "D_1", classifier(1))
    path = lab.data / "pawsx"
    # German equals English: their cosine is 1. Chinese does not.
    (path / "test-de.tsv").write_text((path / "test-en.tsv").read_text())
    lines = (path / "test-zh.tsv").read_text().splitlines()
    (path / "test-zh.tsv").write_text(
        "".join(f"the dog barks loud\t{x}\n" for x in
                (line.split("\t", 1)[1] for line in lines))
    )  # fmt: skip
    found = read(run, lab, ("de", "en", "zh"), 10)
    assert found.cosines.shape == (3, 10)
    np.testing.assert_allclose(found.cosines[:2], 1, atol=1e-5)
    assert found.cosines[2].mean() < 0.9999
    assert found.vectors.shape == (3, 10, 8)
    assert found.shares.shape == (3, POSITIONS)
    real = ~np.isnan(found.shares)
    assert real[:, 0].all() and not real[:, -1].any()
    assert (found.shares[real] > 0).all() and (found.shares[real] < 1).all()


def test_readings_are_kept_until_something_changes(eager, lab, monkeypatch):
    run = save_run(lab, "baseline", classifier(None))
    first = read(run, lab, ("de", "en"), 5)
    (kept,) = (run.folder / "analysis").iterdir()
    assert np.isnan(first.shares).all()

    def refuse(*_, **__):
        raise AssertionError("the model was read again")

    monkeypatch.setattr("dlfa_tf.analysis.readings._read_model", refuse)
    again = read(run, lab, ("de", "en"), 5)
    np.testing.assert_array_equal(first.cosines, again.cosines)
    assert again.languages == ("de", "en")
    with pytest.raises(AssertionError, match="read again"):
        read(run, lab, ("de", "en"), 6)
    path = lab.data / "pawsx" / "test-de.tsv"
    path.write_text("other\ttext\t0\n" + path.read_text())
    with pytest.raises(AssertionError, match="read again"):
        read(run, lab, ("de", "en"), 5)
    assert list((run.folder / "analysis").iterdir()) == [kept]


def test_files_that_are_not_parallel_are_refused(eager, lab):
    run = save_run(lab, "baseline", classifier(None))
    path = lab.data / "pawsx" / "test-de.tsv"
    path.write_text("one\trow\t0\n")
    with pytest.raises(ValueError, match="equally many rows.*'de': 1"):
        read(run, lab, ("de", "en"), 5)


def test_taggers_have_gates_but_no_cosines(eager, lab):
    model = DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=list(get_task("pos").labels)
    )
    run = save_run(lab, "D_1", model, "pos")
    found = read(run, lab, ("de", "en"), 5, "pos")
    assert found.cosines.shape == (2, 0) and not found.vectors.size
    assert not np.isnan(found.shares[:, 0]).any()


def test_run_without_a_model_is_named(lab):
    lab.run("pawsx", "D_1")
    (run,) = load_runs(lab.runs).runs
    assert not has_model(run)
    with pytest.raises(FileNotFoundError, match="seed-1' holds no model"):
        read(run, lab, ("de", "en"), 5)
