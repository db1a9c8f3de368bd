"""Tests of dlfa_tf.training.step_jax and of runs without TensorFlow.

JAX runs in a process of its own, in which TensorFlow cannot be imported.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from dlfa_tf.data.pipelines import epoch_batches
from dlfa_tf.data.pipelines import pad_batch
from dlfa_tf.runs.load import load_model
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.bundle import make_bundle
from dlfa_tf.training.bundle import read_bundle
from dlfa_tf.training.inputs import build_bundle_model
from dlfa_tf.training.optimizers import make_optimizer
from dlfa_tf.training.step_jax import pad_width
from dlfa_tf.training.step_tensorflow import TensorFlowStep
from tests.eager_mode import eagerly

pytestmark = [
    pytest.mark.filterwarnings("ignore:Even though the:UserWarning"),
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None,
        reason="jax is not installed, an optional backend of Keras",
    ),
]
ROOT = pathlib.Path(__file__).parents[2]
STEPS = 4
# Dropout draws other numbers under another backend, so there is none here.
SETTINGS = {
    "task": "pos",
    "output_dir": "run",
    "data_source": "sample",
    "preset": "tiny",
    "fusion_layer": 1,
    "epochs": 1,
    "batch_size": 8,
    "learning_rate": 1e-2,
    "dropout": 0.0,
    "train_limit": 8 * STEPS - 3,
    "eval_limit": 4,
    "languages": ("zh", "en"),
}
ON_JAX = """
import json, runpy, sys
import keras
import numpy as np
from dlfa_tf.data.pipelines import epoch_batches, pad_batch
from dlfa_tf.training.bundle import read_bundle
from dlfa_tf.training.inputs import build_bundle_model
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.step_jax import JaxStep, compiled_forward
from dlfa_tf.training.optimizers import make_optimizer

assert keras.backend.backend() == "jax"
settings = json.loads(sys.argv[1])
settings["languages"] = tuple(settings["languages"])
config = default_config(**settings)
bundle = read_bundle("b")
bundle.meta["packed"]["encoder"]["config"]["dropout"] = 0.0
model = build_bundle_model(config, bundle)
with np.load("start.npz") as file:
    model.set_weights([file[name] for name in file])
prepared = bundle.prepared(config)
step = JaxStep(model, make_optimizer(config, 4, model), clip_norm=0.3)
plan = epoch_batches(prepared.train.row_lengths, 8, 1, 0)
batches = [pad_batch(prepared.train, r, prepared.pad_id, True) for r in plan]

# The state is all that the next step depends on.
start = step.state()
first, second = (step(*batches[0]).on_host() for _ in range(2))
step.set_state(start)
assert step(*batches[0]).on_host() == first != second
step.set_state(start)

values = [step(*batch).on_host()[:2] for batch in batches]
rows = np.arange(3)
features, _ = pad_batch(prepared.dev, rows, prepared.pad_id, True)
logits = step.forward(features)
old = compiled_forward(model, 8)(features)
step.sync()
np.testing.assert_array_equal(compiled_forward(model, 64)(features), logits)
assert not np.array_equal(old, logits)
np.savez("jax.npz", logits=logits, values=values, traces=step.traces,
         rate=step.learning_rate())

# A run that nothing disturbs, and one that is stopped after step 2 of 4.
sys.argv = ["train", "--bundle=b", "--fusion_layer=1", "--epochs=1",
            "--batch_size=8", "--learning_rate=0.01", "--dev_every=3",
            "--checkpoint_minutes=0", "--norm=batch", "--output_dir=run"]
try:
    runpy.run_module("trainers.train", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    assert not ended.code, ended

import contextlib
from dlfa_tf.training import interruption
from dlfa_tf.training import run as training_run
from dlfa_tf.training.inputs import BundleInputs
from dlfa_tf.training.interruption import StopRequest, TrainingInterrupted


class StopAt(StopRequest):
    # Asks to stop after the second step.

    looks = 0

    @property
    def asked(self):
        self.looks += 1
        return self.looks >= 2

    @asked.setter
    def asked(self, value):
        pass


def run(**options):
    config = default_config(**{
        **settings, "output_dir": "stopped", "dropout": 0.1, "dev_every": 3,
        "checkpoint_minutes": 0.0, "norm": "batch",
    })
    inputs = BundleInputs(read_bundle("b"))
    return training_run.run(config, inputs, verbose=0, **options)


really = interruption.stop_on_sigterm
interruption.stop_on_sigterm = lambda: contextlib.nullcontext(StopAt())
try:
    run()
    raise AssertionError("not stopped")
except TrainingInterrupted as stopped:
    print(stopped)
interruption.stop_on_sigterm = really
run(say=print, resume=True)
"""


def make_on_jax(folder):
    """Runs the script above in a folder that holds what it needs."""
    import keras

    blocked = folder / "blocked"
    blocked.mkdir(parents=True)
    for name in ("tensorflow", "tensorflow_text", "grain"):
        (blocked / f"{name}.py").write_text("raise ImportError('blocked')")
    config = default_config(**SETTINGS)
    with eagerly():
        make_bundle(config, folder / "b", "float32")
    keras.utils.set_random_seed(3)
    model = build_bundle_model(config, read_without_dropout(folder))
    np.savez(
        folder / "start.npz",
        **{f"{i:03}": w for i, w in enumerate(model.get_weights())},
    )
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX, json.dumps(SETTINGS)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": f"{blocked}{os.pathsep}{ROOT}",
            # Compiles sooner what runs for milliseconds, and once what is
            # the same in several runs.
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "said.txt").write_text(done.stdout)


def read_without_dropout(folder):
    bundle = read_bundle(folder / "b")
    bundle.meta["packed"]["encoder"]["config"]["dropout"] = 0.0
    return bundle


@pytest.fixture(scope="module")
def on_jax(made_once):
    """Folder in which the script above ran, and what it printed."""
    folder = made_once("on_jax", make_on_jax)
    return folder, (folder / "said.txt").read_text()


@pytest.mark.programs
def test_steps_are_those_of_tensorflow(on_jax):
    folder, _ = on_jax
    config = default_config(**SETTINGS)
    bundle = read_without_dropout(folder)
    model = build_bundle_model(config, bundle)
    with np.load(folder / "start.npz") as file:
        model.set_weights([file[name] for name in file])
    prepared = bundle.prepared(config)
    optimizer = make_optimizer(config, STEPS, model)
    step = TensorFlowStep(model, optimizer, clip_norm=0.3)
    wanted = []
    lengths = prepared.train.row_lengths
    for rows in epoch_batches(lengths, 8, seed=1, epoch=0):
        values = step(*pad_batch(prepared.train, rows, prepared.pad_id, True))
        wanted.append(values.on_host()[:2])
    with np.load(folder / "jax.npz") as file:
        found = dict(file)
    assert len(wanted) == STEPS
    assert found["rate"] == step.learning_rate() == 0.0
    assert max(norm for _, norm in wanted) > 0.3  # clipping is at work
    # float32, sums in another order, over four steps.
    np.testing.assert_allclose(found["values"], wanted, rtol=1e-4)
    features, _ = pad_batch(prepared.dev, np.arange(3), prepared.pad_id, True)
    logits = step.forward(features)
    assert found["logits"].shape == logits.shape
    np.testing.assert_allclose(found["logits"], logits, rtol=1e-3, atol=1e-4)
    # One width of rows, a full batch and the smaller last one.
    assert found["traces"] <= 4


def test_width_stays_within_the_positions():
    features = {"token_ids": np.ones((2, 33), np.int32)}
    labels = np.ones((2, 33), np.int32)
    for max_width, width in ((None, 64), (512, 64), (40, 40), (33, 33)):
        padded, more = pad_width(features, labels, max_width)
        assert padded["token_ids"].shape == more.shape == (2, width)
        assert (more[:, 33:] == -1).all()


@pytest.mark.programs
def test_run_without_tensorflow_is_a_run(on_jax):
    folder, said = on_jax
    run = folder / "run"
    results = json.loads((run / "results.json").read_text())
    assert results["environment"]["backend"] == "jax"
    assert results["config"]["train_limit"] == SETTINGS["train_limit"]
    assert results["config"]["languages"] == ["zh", "en"]
    assert results["bundle"]["sha256"] == read_bundle(folder / "b").sha256
    assert results["total_steps"] == STEPS
    for language in ("zh", "en"):
        score = results["languages"][language]["score"]
        assert f"{language} test {score:.2f}" in said
        tags = (run / "predictions" / f"test-{language}.tsv").read_text()
        assert len(tags.split("\n\n")) == 5  # four sentences and the end
    entries = [
        json.loads(line)
        for line in (run / "metrics.jsonl").read_text().splitlines()
    ]
    assert entries[0]["step"] == 1
    # Of the next step; falls linearly to 0.
    assert entries[0]["learning_rate"] == pytest.approx(0.0075)
    # A step that compiles says nothing of the rest.
    assert "tokens_per_second" not in entries[0]["timing"]
    scores = [x for x in entries if "dev_score" in x]
    assert scores == results["dev_history"]
    assert entries[-1]["gate"]["rms_fused"] > 0
    assert len(list((run / "logs").iterdir())) == 1


@pytest.mark.programs
def test_stopped_and_resumed_run_equals_the_undisturbed_one(on_jax):
    """Bit for bit, with dropout, batch norm and Adam's state."""
    folder, said = on_jax
    assert "Step 2 is saved" in said
    assert "going on after step 2 of 4" in said
    whole, stopped = folder / "run", folder / "stopped"
    assert not (stopped / "checkpoints").exists()
    for path in (whole / "predictions").iterdir():
        other = stopped / "predictions" / path.name
        assert other.read_bytes() == path.read_bytes()
    with (
        np.load(whole / "weights.npz") as a,
        np.load(stopped / "weights.npz") as b,
    ):
        assert len(a.files) == len(b.files) > 40
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])

    def metrics(folder):
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        entries = [json.loads(line) for line in lines]
        return [{k: v for k, v in e.items() if k != "timing"} for e in entries]

    assert metrics(whole) == metrics(stopped)
    assert [e["step"] for e in metrics(whole)] == [1, 3, 3, 4, 4, 4]


@pytest.mark.programs
def test_weights_of_such_a_run_serve_on_tensorflow(on_jax):
    folder, _ = on_jax
    model = load_model(str(folder / "run"))
    with np.load(folder / "run" / "weights.npz") as file:
        table = file["0000"]
        rows = model.backbone.token_embedding.embeddings.numpy()
        np.testing.assert_array_equal(rows[file["token_ids"]], table)
    (tags,) = model.tag(["the cat sees"])
    assert len(tags) == 3
