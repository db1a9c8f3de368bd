"""What the tests of the programs share: ways to call them, finished runs."""

import os
import pathlib
import subprocess
import sys

import pytest
from absl import flags

from tests.eager_mode import eagerly

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def call():
    """Calls a program in this process: `call(module, "--task=pos", ...)`."""

    def call(module, *arguments):
        before = set(flags.FLAGS)
        try:
            module.define_flags()
            flags.FLAGS(["program", *map(str, arguments)])
            module.main()
        finally:
            for name in set(flags.FLAGS) - before:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()

    return call


@pytest.fixture
def start():
    """Starts a program as a user would: `start("train", "--task=pos")`.

    With `imports=True` standard error also lists every import.
    """

    def start(program, *arguments, imports=False, **options):
        command = [sys.executable]
        command += ["-X", "importtime"] if imports else []
        command += ["-m", f"trainers.{program}", *map(str, arguments)]
        # How much TensorFlow logs is the program's to decide.
        environment = dict(os.environ)
        environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            **options,
        )

    return start


@pytest.fixture
def start_wrong(start):
    """Starts a program with wrong flags; returns what it says of them.

    It must not have waited for TensorFlow to say so.
    """

    def start_wrong(program, *arguments, code=2):
        done = start(program, *arguments, imports=True)
        assert done.returncode == code, done.stderr[-2000:]
        lines = done.stderr.splitlines()
        imported = [x for x in lines if x.startswith("import time:")]
        assert imported
        assert not any("tensorflow" in x or "keras" in x for x in imported)
        message = [x for x in lines if not x.startswith("import time:")]
        assert "Traceback" not in "\n".join(message)
        return "\n".join(message)

    return start_wrong


def _finished(folder, task, preset, fusion_layer):
    from dlfa_tf.runs.settings import default_config
    from dlfa_tf.training.run import run

    config = default_config(
        task,
        output_dir=str(folder),
        data_source="sample",
        preset=preset,
        fusion_layer=fusion_layer,
        epochs=1,
        batch_size=8,
        learning_rate=1e-2,
        train_limit=16,
        eval_limit=3,
        languages=("de",),
    )
    with eagerly():
        run(config, verbose=0)


@pytest.fixture(scope="session")
def pos_run(made_once):
    """Folder of a finished run of a tagger."""
    return made_once("pos/run", lambda x: _finished(x, "pos", "tiny", 1))


@pytest.fixture(scope="session")
def xnli_run(made_once):
    """Folder of a finished run of a classifier."""
    return made_once(
        "xnli/run", lambda x: _finished(x, "xnli", "tiny_sentencepiece", None)
    )
