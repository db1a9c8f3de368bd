"""Tests of runs on a bundle, on TensorFlow."""

import contextlib
import dataclasses
import json
import pathlib
import signal

import numpy as np
import pytest

from dlfa_tf.runs.load import load_bundle_model
from dlfa_tf.runs.load import load_model
from dlfa_tf.runs.resuming import held
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.bundle import make_bundle
from dlfa_tf.training.bundle import read_bundle
from dlfa_tf.training.inputs import BundleInputs
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.interruption import TrainingInterrupted
from dlfa_tf.training.run import run
from tests.eager_mode import eagerly

pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")


@pytest.fixture
def config(tiny_settings):
    return default_config(**tiny_settings)


@pytest.fixture(scope="module")
def bundle_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("bundle") / "b"
    config = default_config(
        "pos",
        output_dir="",
        data_source="sample",
        preset="tiny",
        train_limit=32,
        eval_limit=4,
        languages=("zh", "en"),
    )
    with eagerly():
        make_bundle(config, file, "float32")
    return file


@pytest.fixture
def bundle(eager, bundle_file):
    return read_bundle(bundle_file)


def test_run_on_a_bundle_is_the_run_on_the_data(bundle, config, tmp_path):
    """Bit for bit: an exact bundle changes nothing but where numbers lie."""
    wanted = run(config, verbose=0)
    other = dataclasses.replace(config, output_dir=str(tmp_path / "other"))
    found = run(other, BundleInputs(bundle), verbose=0)
    folder = pathlib.Path(other.output_dir)
    assert json.loads((folder / "results.json").read_text()) == found
    for name in ("averages", "dev_history", "label_piece", "missing_languages",
                 "train_rows", "config", "preset_source"):  # fmt: skip
        assert found[name] == wanted[name], name
    for language, scores in wanted["languages"].items():
        same = {**found["languages"][language], "seconds": scores["seconds"]}
        assert same == scores
    for path in (pathlib.Path(config.output_dir) / "predictions").iterdir():
        assert (folder / "predictions" / path.name).read_text() == (
            path.read_text()
        )
    # The full model comes back, its tokenizer and other rows from the preset.
    restored = load_model(str(folder))
    original = load_model(config.output_dir)
    for weight, other in zip(restored.weights, original.weights, strict=True):
        np.testing.assert_array_equal(weight, other)
    assert restored.tag(["the cat sees"]) == original.tag(["the cat sees"])


def test_finished_and_interrupted_runs(bundle, config):
    folder = pathlib.Path(config.output_dir)
    run(config, BundleInputs(bundle, save_weights=False), verbose=0)
    assert not (folder / "weights.npz").exists()
    with pytest.raises(FileNotFoundError, match="no saved model"):
        load_model(str(folder))
    with pytest.raises(FileExistsError, match="never overwritten"):
        run(config, BundleInputs(bundle), verbose=0)
    before = (folder / "results.json").read_bytes()
    said = []
    results = run(config, BundleInputs(bundle), say=said.append, resume=True)
    assert said == [f"{config.output_dir} is finished"]
    assert results == json.loads(before)
    other = dataclasses.replace(config, seed=9)
    with pytest.raises(ValueError, match=r"seed=9 \(the run has 1\)"):
        run(other, BundleInputs(bundle), resume=True)
    # As a kill before the end leaves it.
    metrics = (folder / "metrics.jsonl").read_text()
    (folder / "results.json").unlink()
    again = run(config, BundleInputs(bundle), verbose=0, resume=True)
    assert again["averages"] == results["averages"]
    steps = [json.loads(x)["step"] for x in metrics.splitlines()]
    found = (folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(x)["step"] for x in found] == steps


def test_stopped_run_saves_and_goes_on_with_its_log(
    bundle, config, monkeypatch
):
    config = dataclasses.replace(config, dev_every=1)
    folder = pathlib.Path(config.output_dir)
    with monkeypatch.context() as patch:
        patch.setattr(
            "dlfa_tf.training.interruption.stop_on_sigterm",
            lambda: contextlib.nullcontext(StopRequest(asked=True)),
        )
        with pytest.raises(TrainingInterrupted, match="Step 1 is saved"):
            run(config, BundleInputs(bundle), verbose=0)
    before = (folder / "metrics.jsonl").read_text()
    assert before
    written = (folder / "config.json").stat().st_ino
    said = []
    run(config, BundleInputs(bundle), say=said.append, verbose=0, resume=True)
    assert any("going on after step 1 of 4" in line for line in said)
    assert (folder / "metrics.jsonl").read_text().startswith(before)
    # Of the machine that began the run: not written again, not even the same.
    assert (folder / "config.json").stat().st_ino == written
    assert not (folder / "checkpoints").exists()


def test_evaluation_goes_on_after_the_languages_done(
    bundle, config, monkeypatch
):
    """Also where the weights are not wanted in the end."""
    folder = pathlib.Path(config.output_dir)
    really = BundleInputs.evaluate
    seen = []

    def evaluate(self, model, config, split, language):
        seen.append(language)
        if seen == ["en", "zh"]:
            raise KeyboardInterrupt
        return really(self, model, config, split, language)

    expected = run(
        dataclasses.replace(config, output_dir=f"{folder}-whole"),
        BundleInputs(bundle),
        verbose=0,
    )
    monkeypatch.setattr(BundleInputs, "evaluate", evaluate)
    with pytest.raises(KeyboardInterrupt):
        run(config, BundleInputs(bundle, save_weights=False), verbose=0)
    before = (folder / "config.json").read_bytes()
    monkeypatch.setattr(
        "dlfa_tf.training.run.Engine", lambda *_, **__: pytest.fail("trained")
    )
    inputs = BundleInputs(bundle, save_weights=False)
    results = run(config, inputs, verbose=0, resume=True)
    assert seen == ["en", "zh", "zh"]
    assert results["averages"] == expected["averages"]
    assert results["dev_history"] == expected["dev_history"]
    assert (folder / "config.json").read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md", "config.json", "logs", "metrics.jsonl", "predictions",
        "results.json",
    ]  # fmt: skip


def test_folder_is_held_and_sigterm_handled_while_training(
    bundle, config, monkeypatch
):
    folder = pathlib.Path(config.output_dir)
    folder.mkdir()
    values = {"config": config.to_json(), "bundle": {"sha256": bundle.sha256}}
    (folder / "config.json").write_text(json.dumps(values))
    before = signal.getsignal(signal.SIGTERM)

    class Trained(Exception):
        """Ends a run where its training would begin."""

    def train(*_):
        with pytest.raises(FileExistsError, match="Another process"):
            with held(folder):
                pass
        raise Trained(signal.getsignal(signal.SIGTERM) != before)

    monkeypatch.setattr("dlfa_tf.training.engine.Engine.run", train)
    with held(folder), pytest.raises(FileExistsError, match="Another process"):
        run(config, BundleInputs(bundle), resume=True)
    with pytest.raises(Trained) as caught:
        run(config, BundleInputs(bundle), resume=True)
    assert caught.value.args == (True,)
    assert signal.getsignal(signal.SIGTERM) == before


def test_settings_that_cannot_be_trained_leave_nothing(bundle, config):
    """A config.json would block the same command with the right value."""
    config = dataclasses.replace(config, warmup_steps=4)
    with pytest.raises(ValueError, match="must end.*4 for a run of 4"):
        run(config, BundleInputs(bundle))
    assert not pathlib.Path(config.output_dir).exists()


def test_other_settings_than_the_bundles_are_named(bundle, config):
    other = dataclasses.replace(
        config, languages=("de",), sequence_length=64, epochs=9
    )
    with pytest.raises(ValueError, match="made with other settings") as error:
        run(other, BundleInputs(bundle))
    assert "sequence_length=64 (the bundle has 128)" in str(error.value)
    assert "languages=['de'] (the bundle has ['zh', 'en'])" in str(error.value)
    assert "epochs" not in str(error.value)
    assert not pathlib.Path(config.output_dir).exists()


def test_damaged_weights_are_named(config, tmp_path):
    (tmp_path / "weights.npz").write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match="weights.npz' cannot be read"):
        load_bundle_model(tmp_path)
