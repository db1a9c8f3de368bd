"""Every program is ended at random moments, and started again.

DLFA_TF_FAULT_MOMENTS is the number of moments for each program and signal, 3.
They are spread over the program's work, which begins after its imports; some
more lie within these. Nothing half-written may have the name of a whole file,
and in the end there is what an undisturbed program makes.
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

import numpy as np
import pytest

from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
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
# After so many moments, one after the other, a program may go on to its end.
IN_A_ROW = 5
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
            try:
                # Ctrl-C and SIGTERM come to one process, the end of a
                # container to all of them.
                if number == signal.SIGKILL:
                    os.killpg(process, number)
            except ProcessLookupError:
                # It has no session of its own yet.
                pass
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


def adapt(folder, finished):
    del finished
    text = folder.parent / "de.txt"
    lines = [f"the cat sees the dog and {i % 7} old cats\n" for i in range(60)]
    text.write_text("".join(lines))
    return [
        "adapt",
        "--preset=tiny",
        f"--texts={text}",
        "--sequence_length=16",
        "--held_back=2",
        "--steps=4",
        "--batch_size=2",
        "--checkpoint_minutes=0",
        "--resume",
        f"--output_dir={folder}/adapted",
    ]


def demo(folder, finished):
    del finished
    return [
        "demo",
        "--task=pawsx",
        "--preset=tiny",
        "--fusion_layer=1",
        "--epochs=1",
        f"--output_dir={folder}/runs",
        f"--saved_models_dir={folder}/saved",
    ]


def sweep(folder, finished):
    del finished
    flags = [flag for flag in RUN if "fusion_layer" not in flag]
    flags = [flag.replace("--task=", "--tasks=") for flag in flags]
    return ["sweep", *flags, "--systems=D_1", f"--output_dir={folder}/sweep"]


def adapted(folder):
    """What an adaptation found, and its weights; None when there is none."""
    if (folder / "config.json").exists():
        # All the others are there before it.
        encoder = load_encoder(str(folder))
        load_tokenizer(str(folder))
    if not (folder / "adaptation.json").exists():
        return None
    record = json.loads((folder / "adaptation.json").read_text())
    sums = [float(np.abs(weight).sum()) for weight in encoder.get_weights()]
    return record["languages"], sums


def outcome(program, folder):
    """What a program is for, as plain values; None when it is not there."""
    if program in ("train", "evaluate"):
        check_unfinished_run(folder)
        if not (folder / "run" / "results.json").exists():
            return None
        return scores(folder / "run")
    if program in ("sweep", "demo"):
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
    if program == "adapt":
        check_unfinished_run(folder)
        return adapted(folder / "adapted")
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
GO_ON = {"train", "sweep", "export", "predict", "prepare", "adapt", "demo"}
PROGRAMS = [
    train, evaluate, export, predict, prepare, analyze, adapt, sweep, demo
]  # fmt: skip


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("flags", PROGRAMS)
def test_program_ended_at_random_moments(
    flags, number, forks, finished, tmp_path, count
):
    (tmp_path / "whole").mkdir()
    program, *arguments = flags(tmp_path / "whole", finished)
    began = time.monotonic()
    assert forks.run(program, *arguments) == 0, forks.text()
    lasts = time.monotonic() - began
    expected = outcome(program, tmp_path / "whole")
    assert expected
    generator = random.Random(7)
    folder = tmp_path / "ended"
    _, *arguments = flags(folder, finished)
    kind = f"{signal.Signals(number).name} at random moments"
    for moment in range(MOMENTS):
        if program not in GO_ON:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        after = generator.uniform(0, lasts)
        code = forks.run(program, *arguments, after=after, number=number)
        assert code in (0, STOPPED, EXIT_CODE, -number), forks.text()
        found = outcome(program, folder)
        if program in ("sweep", "demo") and found != expected:
            # A run may be between two of its files, or the first of two.
            found = None
        assert found in (None, expected), after
        done = "finished before" if found else "ended"
        count(kind, f"{program} {done}")
        is_last = (moment + 1) % IN_A_ROW == 0 or moment + 1 == MOMENTS
        if not found and not is_last:
            continue
        if not found:
            go_on(forks, program, folder, arguments)
            assert outcome(program, folder) == expected, after
        left = [p for p in folder.rglob("*") if p.name.startswith(".")]
        count("left behind by killed programs", "files", len(left))
        shutil.rmtree(folder)


def go_on(forks, program, folder, arguments):
    """Starts a program again, to its end."""
    if program not in GO_ON:
        shutil.rmtree(folder)
        folder.mkdir()
    for _ in range(20):
        assert forks.run(program, *arguments) == 0, forks.text()
        if outcome(program, folder) is not None:
            return
        # A run outlives its sweep, and is left to itself.
        assert program == "sweep"
        time.sleep(3)


@pytest.mark.parametrize("number", SIGNALS)
def test_page_ended_at_random_moments_leaves_the_model_alone(
    number, forks, finished, count
):
    def files():
        return {
            path: (path.stat().st_size, path.stat().st_mtime_ns)
            for path in finished.rglob("*")
        }

    before = files()
    generator = random.Random(7)
    for _ in range(MOMENTS):
        code = forks.run(
            "show",
            f"--model={finished}",
            "--port=0",
            # It serves after two seconds.
            after=generator.uniform(0, 4),
            number=number,
        )
        assert code in (0, STOPPED, -number), forks.text()
        assert files() == before
        done = "ended its page" if code == 0 else "ended"
        count(f"{signal.Signals(number).name} at random moments",
              f"show {done}")  # fmt: skip


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("flags", PROGRAMS)
def test_program_ended_within_its_imports(
    flags, number, finished, tmp_path, count
):
    generator = random.Random(7)
    for _ in range(-(-MOMENTS // 25)):
        (tmp_path / "new").mkdir()
        program, *arguments = flags(tmp_path / "new", finished)
        process = subprocess.Popen(
            [sys.executable, "-m", f"trainers.{program}", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(generator.uniform(0, 3))
        process.send_signal(number)
        code = process.wait(120)
        assert code in (0, STOPPED, EXIT_CODE, -number)
        assert outcome(program, tmp_path / "new") is None
        count(f"{signal.Signals(number).name} within imports", program)
        shutil.rmtree(tmp_path / "new")
