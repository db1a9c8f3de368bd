"""Every program is ended at random moments, and started again.

DLFA_TF_FAULT_MOMENTS is the number of moments for each program and signal, 3.
Nothing half-written may have the name of a whole file, and in the end there is
what an undisturbed program makes.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from dlfa_tf.runs import run_folder
from dlfa_tf.serving import check_export
from dlfa_tf.training.bundle import read_bundle
from dlfa_tf.training.interruption import EXIT_CODE

pytestmark = pytest.mark.faults

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOMENTS = int(os.environ.get("DLFA_TF_FAULT_MOMENTS", "3"))
# Exit code of a program that was interrupted before it could save.
STOPPED = 130
SIGNALS = [signal.SIGTERM, signal.SIGKILL]
SMALL = [
    "--data_source=sample",
    "--preset=tiny",
    "--train_limit=16",
    "--eval_limit=3",
    "--languages=de,zh",
]
RUN = [
    *SMALL,
    "--task=pos",
    "--fusion_layer=1",
    "--epochs=2",
    "--batch_size=8",
    "--learning_rate=0.01",
    "--checkpoint_minutes=0",
    "--dev_every=1",
]


class Forks:
    """Programs that start at once; see `forks.py`."""

    def __init__(self, log):
        self.log = log
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "DLFA_TF_CACHE": str(log.parent / "cache"),
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "CUDA_VISIBLE_DEVICES": "",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ask(self, line):
        self.server.stdin.write(f"{line}\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def run(self, program, *arguments, after=None, number=None):
        """Exit code; `number` is the signal that is sent `after` seconds."""
        flags = [str(argument) for argument in arguments]
        request = [str(self.log), f"trainers.{program}", *flags]
        process = self._ask(json.dumps(request))
        if after is not None:
            deadline = time.monotonic() + after
            while time.monotonic() < deadline and self._runs(process):
                time.sleep(0.005)
            if number == signal.SIGKILL:
                os.killpg(process, number)
            else:
                os.kill(process, number)
        return self._ask("")

    @staticmethod
    def _runs(process):
        state = pathlib.Path(f"/proc/{process}/stat").read_text()
        return state.rpartition(")")[2].split()[0] != "Z"

    def text(self):
        return self.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    forks = Forks(tmp_path_factory.mktemp("forks") / "log")
    yield forks
    forks.server.stdin.close()
    forks.server.stdout.close()
    forks.server.wait(30)


@pytest.fixture(scope="module")
def finished(forks, tmp_path_factory):
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert forks.run("train", *RUN, f"--output_dir={folder}") == 0, forks.text()
    return folder


def scores(folder):
    results = run_folder.read_results(folder)
    predictions = {
        path.name: path.read_text()
        for path in sorted((folder / "predictions").iterdir())
    }
    averages = results["averages"]
    return averages, predictions, results.get("best_step")


def check_unfinished_run(folder):
    """Everything with a whole file's name is whole."""
    for path in folder.rglob("*.json"):
        json.loads(path.read_text())
    for path in folder.rglob("metrics.jsonl"):
        # The last line may have no end yet.
        for line in path.read_text().splitlines()[:-1]:
            json.loads(line)


def train(folder, finished):
    del finished
    return ["train", *RUN, "--resume", f"--output_dir={folder}/run"]


def evaluate(folder, finished):
    return [
        "evaluate",
        f"--model={finished}",
        "--task=pos",
        "--data_source=sample",
        "--eval_limit=3",
        "--languages=de,zh",
        f"--output_dir={folder}/run",
    ]


def export(folder, finished):
    return [
        "export",
        f"--model={finished}",
        "--name=pos",
        f"--saved_models_dir={folder}",
        "--max_batch_size=1",
    ]


def predict(folder, finished):
    texts = folder.parent / "texts.txt"
    texts.write_text("Der Fluss ist hoch .\n" * 300)
    return [
        "predict",
        f"--model={finished}",
        f"--input={texts}",
        f"--output={folder}/out.txt",
    ]


def prepare(folder, finished):
    del finished
    return [
        "prepare",
        *SMALL,
        "--task=pos",
        "--bundle_weights=float32",
        f"--bundle={folder}/x.bundle",
    ]


def analyze(folder, finished):
    return [
        "analyze",
        f"--runs_dir={finished.parent}",
        f"--output_dir={folder}/tables",
    ]


def sweep(folder, finished):
    del finished
    flags = [flag for flag in RUN if "fusion_layer" not in flag]
    flags = [flag.replace("--task=", "--tasks=") for flag in flags]
    return ["sweep", *flags, "--systems=D_1", f"--output_dir={folder}/sweep"]


def outcome(program, folder):
    """What a program is for, as plain values; None when it is not there."""
    if program in ("train", "evaluate"):
        check_unfinished_run(folder)
        if not (folder / "run" / "results.json").exists():
            return None
        return scores(folder / "run")
    if program == "sweep":
        check_unfinished_run(folder)
        found = sorted(folder.rglob("results.json"))
        return [scores(path.parent) for path in found] or None
    if program == "export":
        versions = [p for p in folder.glob("pos/*") if p.name.isdecimal()]
        problems = [f for v in versions for f in check_export(v) if f.problems]
        assert problems == []
        return bool(versions) or None
    if program == "predict":
        path = folder / "out.txt"
        return path.read_text() if path.exists() else None
    if program == "prepare":
        path = folder / "x.bundle"
        return read_bundle(path).sha256 if path.exists() else None
    path = folder / "tables" / "report.html"
    if not path.exists():
        return None
    assert path.read_text().rstrip().endswith("</html>")
    return True


# Programs that go on in a folder where they were ended, and those that want a
# new one.
GO_ON = {"train", "sweep", "export", "predict", "prepare"}


@pytest.mark.parametrize(
    "flags", [train, evaluate, export, predict, prepare, analyze, sweep]
)
def test_program_ended_at_random_moments(
    flags, forks, finished, tmp_path, count
):
    (tmp_path / "whole").mkdir()
    program, *arguments = flags(tmp_path / "whole", finished)
    began = time.monotonic()
    assert forks.run(program, *arguments) == 0, forks.text()
    lasts = time.monotonic() - began
    expected = outcome(program, tmp_path / "whole")
    assert expected
    generator = random.Random(7)
    for number in SIGNALS:
        # A sweep waits long for its runs; a sixth of the moments will do.
        moments = MOMENTS if program != "sweep" else -(-MOMENTS // 6)
        for _ in range(moments):
            folder = tmp_path / "ended"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _, *arguments = flags(folder, finished)
            after = generator.uniform(0, lasts)
            code = forks.run(program, *arguments, after=after, number=number)
            assert code in (0, STOPPED, EXIT_CODE, -number), forks.text()
            found = outcome(program, folder)
            if program == "sweep" and found != expected:
                # Its run may be between two of its files.
                found = None
            assert found in (None, expected), after
            kind = f"{signal.Signals(number).name} at random moments"
            done = "finished before" if found else "ended"
            count(kind, f"{program} {done}")
            if found:
                continue
            if program not in GO_ON:
                shutil.rmtree(folder)
                folder.mkdir()
            for _ in range(20):
                assert forks.run(program, *arguments) == 0, forks.text()
                found = outcome(program, folder)
                if found is not None:
                    break
                # A run outlives its sweep, and is left to itself.
                assert program == "sweep"
                time.sleep(3)
            assert found == expected, after
            left = [p for p in folder.rglob("*") if p.name.startswith(".")]
            count("left behind by killed programs", "files", len(left))
