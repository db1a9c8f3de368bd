"""Runs that are killed, stopped, damaged, and go on."""

import dataclasses
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from dlfa_tf.runs.auto import resolved
from dlfa_tf.runs.resuming import check_run_dir
from dlfa_tf.runs.resuming import held
from dlfa_tf.runs.same_settings import check_same_settings
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.bundle import Bundle
from dlfa_tf.training.bundle import make_bundle
from dlfa_tf.training.inputs import BundleInputs
from dlfa_tf.training.interruption import EXIT_CODE
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.interruption import TrainingInterrupted
from dlfa_tf.training.run import run
from tests.eager_mode import eagerly

ROOT = pathlib.Path(__file__).parents[2]

# The data set's own function is traced all the same; that is fine.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")


def contents(folder):
    """What has to be equal, bit for bit: weights, metrics, predictions."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".h5" or name.startswith("predictions/"):
            found[name] = path.read_bytes()
    lines = [
        json.loads(x)
        for x in (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    ]
    for line in lines:
        line.pop("timing", None)
    found["metrics.jsonl"] = lines
    return found


def weights_of(folder):
    """Arrays of the saved files, which themselves record times."""
    import h5py

    found = {}
    if (folder / "weights.npz").is_file():  # of a run on a bundle
        with np.load(folder / "weights.npz") as file:
            return {name: file[name].tobytes() for name in file.files}
    for path in sorted((folder / "model").rglob("*.h5")):
        with h5py.File(path) as file:
            file.visititems(
                lambda name, item, path=path: (
                    found.update({f"{path.name}/{name}": item[()].tobytes()})
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
    return found


def same(folder, other):
    a, b = contents(folder), contents(other)
    assert a.keys() == b.keys()
    for name in a:
        if not name.endswith(".h5"):
            assert a[name] == b[name], name
    ours, theirs = weights_of(folder), weights_of(other)
    assert len(ours) > 20
    assert ours == theirs


@pytest.fixture
def settings(tiny_settings):
    def settings(folder, **changes):
        values = {
            **tiny_settings,
            "epochs": 2,
            "dev_every": 3,
            "checkpoint_minutes": 0.0,
            "norm": "batch",
            "output_dir": str(folder),
            **changes,
        }
        return default_config(values.pop("task"), **values)

    return settings


class StopAt(StopRequest):
    """Asks to stop before the step after `step`, as SIGTERM would."""

    def __init__(self, step):
        self.left = step
        super().__init__()

    @property
    def asked(self):
        self.left -= 1
        return self.left < 0

    @asked.setter
    def asked(self, value):
        pass


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run that nothing disturbs, in this process."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    config = default_config(
        "pos",
        output_dir=str(folder),
        data_source="sample",
        preset="tiny",
        fusion_layer=1,
        norm="batch",
        epochs=2,
        batch_size=8,
        learning_rate=1e-2,
        train_limit=32,
        eval_limit=4,
        languages=("zh", "en"),
        dev_every=3,
        checkpoint_minutes=0.0,
    )
    with eagerly():
        run(config, verbose=0)
    return folder


def test_run_stopped_and_resumed_equals_the_undisturbed_one(
    undisturbed, settings, tmp_path, eager, monkeypatch
):
    """Stopped between log entries, dev scores and epochs, again and again."""
    import contextlib

    folder = tmp_path / "run"
    for steps in (1, 1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(
                "dlfa_tf.training.interruption.stop_on_sigterm",
                lambda steps=steps: contextlib.nullcontext(StopAt(steps)),
            )
            with pytest.raises(TrainingInterrupted, match="is saved"):
                run(settings(folder), verbose=0, resume=True)
    said = []
    run(settings(folder), say=said.append, verbose=0, resume=True)
    assert any("going on after step" in line for line in said)
    same(folder, undisturbed)
    assert not (folder / "checkpoints").exists()


@keras.saving.register_keras_serializable(package="test_resume")
class Dropped(keras.layers.Layer):
    """A fusion of the user's, with weights and a random state of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.drop = keras.layers.Dropout(0.5)
        self.norm = keras.layers.BatchNormalization()

    def build(self, low_shape, high_shape):
        self.norm.build(low_shape)

    def call(self, low, high, padding_mask=None, training=None):
        low = self.norm(low, training=training)
        return self.drop(low, training=training) + high


@pytest.mark.slow
def test_run_with_a_layer_of_the_users_is_resumed_exactly(
    settings, tmp_path, eager, monkeypatch
):
    import contextlib

    fusion = f"{__name__}:Dropped"
    run(settings(tmp_path / "whole", fusion=fusion), verbose=0)
    config = settings(tmp_path / "run", fusion=fusion)
    with monkeypatch.context() as patch:
        patch.setattr(
            "dlfa_tf.training.interruption.stop_on_sigterm",
            lambda: contextlib.nullcontext(StopAt(2)),
        )
        with pytest.raises(TrainingInterrupted, match="is saved"):
            run(config, verbose=0, resume=True)
    run(config, verbose=0, resume=True)
    same(tmp_path / "run", tmp_path / "whole")


def test_evaluation_goes_on_after_the_languages_done(
    undisturbed, settings, tmp_path, eager, monkeypatch
):
    from dlfa_tf.scoring import zero_shot

    really = zero_shot.evaluate_file
    seen = []

    def evaluate_file(model, source, split, language, **options):
        seen.append(language)
        if seen == ["en", "zh"]:
            raise KeyboardInterrupt
        return really(model, source, split, language, **options)

    monkeypatch.setattr(zero_shot, "evaluate_file", evaluate_file)
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run(settings(folder), verbose=0)
    monkeypatch.setattr(
        "dlfa_tf.training.run.Engine", lambda *_, **__: pytest.fail("trained")
    )
    results = run(settings(folder), verbose=0, resume=True)
    assert seen == ["en", "zh", "zh"]
    assert sorted(results["languages"]) == ["en", "zh"]
    same(folder, undisturbed)


def test_finished_run_is_left_alone(undisturbed, settings):
    before = {p: p.stat().st_mtime_ns for p in undisturbed.rglob("*")}
    said = []
    config = settings(undisturbed)
    results = run(config, say=said.append, verbose=0, resume=True)
    assert results["total_steps"] > 3
    assert said == [f"{undisturbed} is finished"]
    assert before == {p: p.stat().st_mtime_ns for p in undisturbed.rglob("*")}


def test_run_without_resume_is_refused_and_told_of_it(undisturbed, settings):
    with pytest.raises(FileExistsError, match="--resume goes on with it"):
        run(settings(undisturbed))


def test_other_settings_are_refused_by_name(undisturbed, settings):
    config = settings(undisturbed, seed=5, learning_rate=0.5)
    with pytest.raises(
        ValueError,
        match=r"learning_rate=0.5 \(the run has 0.01\), seed=5 \(the run",
    ):
        run(config, resume=True)


def test_where_a_run_goes_on_may_differ(settings):
    config = settings("a")
    other = dataclasses.replace(
        config, output_dir="b", checkpoint_minutes=5, strategy="mirrored"
    )
    check_same_settings(config.to_json(), other, "a")


def test_other_data_are_refused(settings, tmp_path, eager, monkeypatch):
    import contextlib

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(
            "dlfa_tf.training.interruption.stop_on_sigterm",
            lambda: contextlib.nullcontext(StopAt(1)),
        )
        with pytest.raises(TrainingInterrupted):
            run(settings(folder), verbose=0)
    monkeypatch.setattr(
        "dlfa_tf.training.preparing.Prepared.fingerprint", lambda _: "0" * 64
    )
    with pytest.raises(ValueError, match="trained on other data.*000000000000"):
        run(settings(folder), verbose=0, resume=True)


def test_folder_of_something_else_is_refused(settings, tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="notes.txt"):
        check_run_dir(settings(tmp_path), resume=True)


def test_second_process_in_a_folder_is_refused(tmp_path):
    with held(tmp_path):
        with pytest.raises(FileExistsError, match="Another process is at work"):
            with held(tmp_path):
                pass
    with held(tmp_path):
        pass


def test_auto_is_decided_and_saved(settings):
    config = resolved(settings("a", precision="auto"))
    assert config.precision in ("float32", "mixed_bfloat16")
    assert config.strategy == "one_device"


@pytest.mark.parametrize("fast", [False, True], ids=["float32", "bfloat16"])
def test_auto_goes_on_in_the_precision_of_the_run(
    settings, tmp_path, monkeypatch, fast
):
    """On a machine that would take the other one."""
    began = "float32" if fast else "mixed_bfloat16"
    folder = tmp_path / "run"
    folder.mkdir()
    values = settings(folder, precision=began).to_json()
    (folder / "config.json").write_text(json.dumps({"config": values}))
    monkeypatch.setattr(
        "dlfa_tf.runs.environment.has_fast_bfloat16", lambda: fast
    )
    auto = settings(folder, precision="auto")
    assert resolved(auto, resume=True).precision == began
    assert resolved(auto).precision != began
    elsewhere = settings(tmp_path / "new", precision="auto")
    assert resolved(elsewhere, resume=True).precision != began
    given = settings(folder, precision="mixed_float16")
    assert resolved(given, resume=True).precision == "mixed_float16"


@pytest.mark.parametrize("on_bundle", [False, True])
def test_run_in_auto_is_resumed_on_another_machine(
    settings, tmp_path, monkeypatch, on_bundle
):
    """The same command again: no setting differs, so nothing is refused."""

    class Passed(Exception):
        """What comes after the check of the settings."""

    def reached(config, *_):
        raise Passed(config.precision)

    folder = tmp_path / "run"
    folder.mkdir()
    values = settings(folder, precision="mixed_bfloat16").to_json()
    record = {
        "config": values,
        "bundle": {"sha256": "a"} if on_bundle else None,
    }
    (folder / "config.json").write_text(json.dumps(record))
    monkeypatch.setattr(
        "dlfa_tf.runs.environment.has_fast_bfloat16", lambda: False
    )
    monkeypatch.setattr("dlfa_tf.training.preparing.read_data", reached)
    monkeypatch.setattr("dlfa_tf.training.inputs.build_bundle_model", reached)
    config = settings(folder, precision="auto")
    with pytest.raises(Passed, match="mixed_bfloat16"):
        if on_bundle:
            bundle = Bundle(
                meta={"settings": {}},
                arrays={},
                vocabulary=None,
                weights={},
                sha256="a",
            )
            run(config, BundleInputs(bundle), resume=True)
        else:
            run(config, resume=True)


def command(folder, bundle=None):
    data = [
        "--task=pos",
        "--data_source=sample",
        "--preset=tiny",
        "--train_limit=64",
        "--eval_limit=4",
        "--languages=zh,en,de",
    ]
    if bundle is not None:
        data = [f"--bundle={bundle}"]
    return [
        sys.executable, "-m", "trainers.train", *data, "--fusion_layer=1",
        "--norm=batch", "--epochs=3", "--batch_size=8", "--learning_rate=0.01",
        "--dev_every=7", "--checkpoint_minutes=0", "--resume",
        f"--output_dir={folder}",
    ]  # fmt: skip


def start(folder, bundle=None):
    """A run of trainers.train; one on a bundle is under JAX."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if bundle is not None:
        environment["KERAS_BACKEND"] = "jax"
    return subprocess.Popen(
        command(folder, bundle),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(params=["tensorflow", "jax"])
def begin(request, tmp_path):
    """Starts a run in a folder, under one backend and the other."""
    bundle = None
    if request.param == "jax":
        pytest.importorskip("jax", reason="an optional backend of Keras")
        bundle = tmp_path / "b"
        config = default_config(
            "pos",
            output_dir="",
            data_source="sample",
            preset="tiny",
            train_limit=64,
            eval_limit=4,
            languages=("zh", "en", "de"),
        )
        make_bundle(config, bundle)
    return lambda folder: start(folder, bundle)


@pytest.mark.slow
def test_sigterm_saves_and_ends_with_its_own_code(begin, tmp_path):
    folder = tmp_path / "run"
    process = begin(folder)
    while not list(folder.glob("checkpoints/step-*.npz")):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == EXIT_CODE, output
    assert "Stopped by SIGTERM" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_killed_twenty_times_equals_the_undisturbed_run(begin, tmp_path):
    """`kill -9` at random moments, then the same command again."""
    expected, folder = tmp_path / "expected", tmp_path / "run"
    started = time.monotonic()
    process = begin(expected)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    duration = time.monotonic() - started
    draw = random.Random(20211)
    kills = 0
    for attempt in range(200):
        process = begin(folder)
        # Late kills too: what is left becomes less with every attempt.
        wait = draw.uniform(0.3, 1.0) * duration
        try:
            output, _ = process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, output
        same(folder, expected)
        if kills >= 20:
            break
        # Finished before enough kills: once more, from the start.
        os.rename(folder, tmp_path / f"finished-{attempt}")
    assert kills >= 20
