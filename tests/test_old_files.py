"""Files that version 0.1.0 wrote are read, and unfinished runs gone on with.

`old_files/make_0_1_0.py.txt` tells how they were made.
"""

import json
import pathlib
import tarfile

import keras
import numpy as np
import pytest

from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.runs.load import load_model
from dlfa_tf.runs.settings import read_config
from dlfa_tf.serving import check_export
from dlfa_tf.training.bundle import read_bundle
from dlfa_tf.training.inputs import BundleInputs
from dlfa_tf.training.run import run
from tests.eager_mode import eagerly

ARCHIVE = pathlib.Path(__file__).with_name("old_files") / "0.1.0.tar.xz"
# float32 on another processor than the one that wrote them.
TOLERANCE = 1e-4
# Keys of results.json that 0.1.0 did not have.
ADDED_SINCE = {"encoder"}


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def inside(old, monkeypatch):
    """The folder, as the current one: settings name run folders in it."""
    monkeypatch.chdir(old)
    # Tracing takes longer than runs of four steps.
    with eagerly():
        yield old


def check_predictions(model, old):
    texts = json.loads((old / "texts.json").read_text())
    expected = np.load(old / "predicted.npy")
    np.testing.assert_allclose(model.predict(texts), expected, atol=TOLERANCE)


def entries(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [{k: v for k, v in x.items() if k != "timing"} for x in found]


def check_entries(folder, expected):
    for ours, theirs in zip(entries(folder), entries(expected), strict=True):
        gates = [x.pop("gate", {}) for x in (ours, theirs)]
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-6)
        assert gates[0] == pytest.approx(gates[1], rel=1e-3)


def test_models_are_loaded(old):
    check_predictions(keras.models.load_model(old / "model.keras"), old)
    check_predictions(load_model(str(old / "finished")), old)
    preset = str(old / "finished" / "model")
    check_predictions(DLFATokenClassifier.from_preset(preset), old)
    check_predictions(load_model(str(old / "on_bundle")), old)


def test_finished_runs_are_left_alone(inside):
    for name, inputs in (
        ("finished", None),
        ("on_bundle", BundleInputs(read_bundle("pos.bundle"))),
    ):
        before = (inside / name / "results.json").read_text()
        found = run(read_config(name), inputs, resume=True)
        assert found == json.loads(before)
        assert (inside / name / "results.json").read_text() == before


def test_begun_run_is_gone_on_with(inside):
    """From its checkpoint; both were to become the same run."""
    said = []
    config = read_config("begun")
    found = run(config, say=said.append, verbose=0, resume=True)
    assert any("going on after step 3 of 4" in line for line in said)
    expected = json.loads((inside / "finished" / "results.json").read_text())
    assert found["averages"] == pytest.approx(expected["averages"], abs=0.01)
    assert set(found) == set(expected) | ADDED_SINCE
    check_entries(inside / "begun", inside / "finished")


def test_bundle_is_trained_on(inside):
    config = read_config("on_bundle")
    inputs = BundleInputs(read_bundle("pos.bundle"))
    expected = json.loads((inside / "on_bundle" / "results.json").read_text())
    assert inputs.record()["bundle"] == expected["bundle"]
    (inside / "on_bundle").rename(inside / "was_on_bundle")
    found = run(config, inputs, verbose=0)
    assert set(found) == set(expected) | ADDED_SINCE
    check_entries(inside / "on_bundle", inside / "was_on_bundle")


@pytest.mark.slow  # optimises three graphs with two encoders each
def test_export_keeps_the_rules(old):
    findings = check_export(old / "exported" / "1")
    assert findings
    assert [x for x in findings if x.problems] == []
