"""Tests of the lint as a whole, and of the playing of warm-up records."""

import os
import shutil

import keras
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from dlfa_tf.serving import check_export
from dlfa_tf.serving.contract import WARMUP
from dlfa_tf.serving.export import lint
from dlfa_tf.serving.export.lint import Finding
from dlfa_tf.serving.export.warmup import as_strings
from dlfa_tf.serving.export.warmup import read_warmup
from dlfa_tf.serving.export.warmup import write_warmup

RULES = [
    "files",
    "metadata",
    "signatures",
    "ops",
    "guards",
    "variables",
    "warm-up",
]
TEXT = {"text": as_strings(["a"])}
WORDS = {"words": as_strings([["a"]])}


@pytest.fixture
def spoiled(tmp_path, tagger_export):
    """A copy of an export that a test may spoil; big files are links."""
    folder = tmp_path / "copy"
    shutil.copytree(tagger_export, folder, copy_function=os.link)
    (folder / WARMUP).unlink()
    return folder


def broken(folder):
    return {f.rule: f for f in check_export(folder) if f.problems}


def test_whole_export_keeps_every_rule(classifier_export):
    findings = check_export(classifier_export)
    assert [f.rule for f in findings] == RULES
    assert all(str(f).startswith("ok ") for f in findings)
    assert lint.failures(findings) == ""


def test_export_without_warmup_is_named(spoiled):
    found = broken(spoiled)
    assert list(found) == ["warm-up"]
    assert f"{WARMUP} does not exist" in found["warm-up"].problems[0]


def test_signature_that_is_not_asked_is_named(spoiled, monkeypatch):
    monkeypatch.setattr(lint, "_playing_problems", lambda *_: [])
    write_warmup(spoiled, "pos", [("serving_default", TEXT)])
    assert broken(spoiled)["warm-up"].problems == (
        "signature 'embed' is not asked with a batch of 1",
        "signature 'embed' is not asked with a batch of 4",
        "signature 'serving_default' is not asked with a batch of 4",
        "signature 'tag_words' is not asked with a batch of 1",
        "signature 'tag_words' is not asked with a batch of 4",
    )


def test_record_that_is_answered_by_an_error_is_named(spoiled):
    requests = [
        ("embed", WORDS),
        ("nothing", TEXT),
        ("embed", {"text": as_strings([["a"]])}),
    ]
    write_warmup(spoiled, "pos", requests)
    found = list(lint._playing_problems(spoiled, read_warmup(spoiled)))
    assert len(found) == 3
    assert "record 1 (signature 'embed')" in found[0]
    assert "takes ['text']. Received: ['words']" in found[0]
    assert "record 2 (signature 'nothing')" in found[1]
    assert "shape" in found[2]


def test_record_of_another_kind_is_named(spoiled):
    log = prediction_log_pb2.PredictionLog()
    log.classify_log.request.model_spec.name = "pos"
    with tf.io.TFRecordWriter(str(spoiled / WARMUP)) as writer:
        writer.write(log.SerializeToString())
    (problem,) = broken(spoiled)["warm-up"].problems
    assert "record 1 is no Predict request" in problem
    assert "classify_log" in problem


def test_more_records_than_the_server_takes_are_named(spoiled, monkeypatch):
    monkeypatch.setattr(lint, "_MAX_WARMUP_RECORDS", 1)
    monkeypatch.setattr(lint, "_playing_problems", lambda *_: [])
    write_warmup(spoiled, "pos", [("embed", TEXT)] * 2)
    assert broken(spoiled)["warm-up"].problems[0].startswith("2 records;")


def test_variables_that_are_not_restored_fail_the_warmup(tmp_path):
    """The Python loader answers this export, the server does not."""
    module = tf.Module()
    module.model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def embed(text):
        x = tf.zeros([tf.size(tf.ensure_shape(text, [None])), 2])
        return {"embedding": module.model(x)}

    signatures = {"embed": embed}
    tf.saved_model.save(module, str(tmp_path), signatures=signatures)
    loaded = tf.saved_model.load(str(tmp_path)).signatures["embed"]
    assert loaded(text=tf.constant(["a"]))["embedding"].shape == (1, 3)
    (problem,) = lint._playing_problems(tmp_path, [("embed", TEXT)])
    assert "record 1 (signature 'embed') is answered by an error" in problem


def test_graph_that_cannot_be_loaded_is_named(spoiled):
    shutil.rmtree(spoiled / "variables")
    (problem,) = lint._playing_problems(spoiled, [("embed", TEXT)])
    assert problem.startswith("the SavedModel cannot be loaded")


@pytest.mark.parametrize(
    ("damage", "rules"),
    [
        ("no variables", {"variables", "warm-up"}),
        ("cut index", {"variables", "warm-up"}),
        ("cut warm-up", {"warm-up"}),
        ("other warm-up", {"warm-up"}),
    ],
)
def test_damaged_files_are_findings(tmp_path, toy_tagger, damage, rules):
    folder = shutil.copytree(toy_tagger, tmp_path / "copy")
    index = folder / "variables" / "variables.index"
    warmup = folder / WARMUP
    if damage == "no variables":
        shutil.rmtree(folder / "variables")
    elif damage == "other warm-up":
        warmup.write_bytes(b"no records at all")
    else:
        path = index if damage == "cut index" else warmup
        path.write_bytes(path.read_bytes()[:-9])
    found = broken(folder)
    # A toy has no metadata, and so no declared signatures.
    assert set(found) == rules | {"metadata", "signatures"}
    for rule in rules:
        assert len(found[rule].problems) == 1
        assert "\n" not in found[rule].problems[0]
    if "variables" in rules:
        (problem,) = found["variables"].problems
        assert problem.startswith("variables/ cannot be read: ")


def test_export_without_metadata_is_named(spoiled, monkeypatch):
    (spoiled / "assets.extra" / "dlfa_tf.json").unlink()
    found = broken(spoiled)
    assert "has no assets.extra/dlfa_tf.json" in str(found["metadata"])
    # What is declared depends on the kind of the model.
    assert "signature 'embed' is not declared" in str(found["signatures"])


def test_failed_finding_lists_its_problems():
    finding = Finding(rule="ops", checks="all known", problems=("a", "b"))
    assert str(finding) == ("FAILED  ops: all known\n        - a\n        - b")
    assert lint.failures([finding]) == str(finding)
