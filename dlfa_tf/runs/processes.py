"""Checks that need a framework, for programs that are to have none."""

import os
import subprocess
import sys
from collections.abc import Sequence


def check(code: str, arguments: Sequence[str]) -> None:
    """Runs Python code in a process of its own, without a GPU.

    For a program that starts others: a framework loaded here would hold the
    memory of the GPU that they need.

    Args:
        code: str, Python; its last line on standard error is the message.
        arguments: strings, its `sys.argv[1:]`.

    Raises:
        ValueError: when the process fails; has its message.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={
            **os.environ,
            "CUDA_VISIBLE_DEVICES": "-1",
            "JAX_PLATFORMS": "cpu",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise ValueError(lines[-1])
