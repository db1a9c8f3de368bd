"""Starts programs as forks of a process that has imported the libraries.

python -m tests.faults.forks reads lines of JSON, `[log, module, flag ...]`,
and answers with the number of a process; an empty line makes it wait for that
process and answer with its exit code. Each program has a session of its own.
Functions of TensorFlow run as Python: tracing them takes longer than the runs.
"""

import json
import os
import runpy
import sys


def start(log: str, module: str, arguments: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    os.setsid()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
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


if __name__ == "__main__":
    import keras_hub  # noqa: F401
    import tensorflow  # noqa: F401
    import tensorflow_text  # noqa: F401

    child = 0
    for line in sys.stdin:
        if line.strip():
            log, module, *arguments = json.loads(line)
            child = start(log, module, arguments)
            print(child, flush=True)
        else:
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
