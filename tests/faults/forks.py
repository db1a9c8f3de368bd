"""Starts programs as forks of a process that has imported all they need.

python -m tests.faults.forks reads lines of JSON, `[log, module, flag ...]`,
and answers with the number of a process; an empty line makes it wait for that
process and answer with its exit code. Each program has a session of its own,
and the runs that a sweep starts are forks, too. So a random moment is one of
the program's work, and not of its imports. Functions of TensorFlow run as
Python: tracing them takes longer than the runs.
"""

import copy
import importlib
import json
import os
import pkgutil
import runpy
import subprocess
import sys
from typing import Any
from unittest import mock

from absl import flags

import dlfa_tf

# Programs, and what only some of them need.
_NOT_IMPORTED = ("dlfa_tf.testing", "dlfa_tf.serving.bulk")
# What `absl` knows of flags before a program defines its own.
_NO_FLAGS: dict[str, Any] = {}


class ForkedRun(subprocess.Popen):
    """A run of a sweep: `python -m trainers.train` as a fork."""

    def _execute_child(self, args: Any, *more: Any) -> None:
        if list(args[1:3]) != ["-m", "trainers.train"]:
            super()._execute_child(args, *more)
            return
        # Both ends of those for input, output and errors.
        pipes = more[9:15]
        log = os.readlink(f"/proc/self/fd/{pipes[3]}")
        self.pid = start(log, args[2], list(args[3:]))
        self._child_created = True
        self._close_pipe_fds(*pipes)


def start(log: str, module: str, arguments: list[str]) -> int:
    """Runs a module as a program in a fork, and returns its number."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    # A run inherits those of its sweep.
    flags.FLAGS.__dict__.update(
        {name: copy.copy(value) for name, value in _NO_FLAGS.items()}
    )
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    if module == "trainers.sweep":
        mock.patch.object(subprocess, "Popen", ForkedRun).start()
    code = 1
    try:
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else bool(error.code)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def import_all() -> None:
    """Imports what the programs import when they are at it."""
    for module in pkgutil.walk_packages(dlfa_tf.__path__, "dlfa_tf."):
        if not module.name.startswith(_NOT_IMPORTED):
            importlib.import_module(module.name)
    for name in ("keras_hub", "tensorflow", "tensorflow_text"):
        importlib.import_module(name)
    # Modules that are no programs.
    for name in ("labellers", "result_table", "sweep_view", "preset_check"):
        importlib.import_module(f"trainers.{name}")


if __name__ == "__main__":
    import_all()
    _NO_FLAGS.update({k: copy.copy(v) for k, v in flags.FLAGS.__dict__.items()})
    child = 0
    for line in sys.stdin:
        if line.strip():
            log, module, *arguments = json.loads(line)
            child = start(log, module, arguments)
            print(child, flush=True)
        else:
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
