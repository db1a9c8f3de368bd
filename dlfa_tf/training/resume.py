"""A run folder: new, to go on with, or somebody else's."""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import re
import shutil
from collections.abc import Iterator

from dlfa_tf.evaluation.run_folder import CONFIG
from dlfa_tf.evaluation.run_folder import check_output_dir
from dlfa_tf.training.config import TrainConfig
from dlfa_tf.training.config import read_config
from dlfa_tf.training.distribution import resolve_strategy
from dlfa_tf.training.environment import has_fast_bfloat16

# What may differ when a run goes on: where it runs, not what it computes.
_NOT_OF_THE_RESULT = (
    "output_dir", "data_dir", "strategy", "checkpoint_minutes",
    "keep_checkpoints",
)  # fmt: skip
_UNFINISHED = re.compile(r"\..*\.\d+\.tmp")


def resolved(config: TrainConfig) -> TrainConfig:
    """Decides what `auto` means on this machine.

    Returns:
        The config without any `auto`.

    Raises:
        ValueError: for a wrong TF_CONFIG.
    """
    precision = config.precision
    if precision == "auto":
        precision = "mixed_bfloat16" if has_fast_bfloat16() else "float32"
    return dataclasses.replace(
        config,
        precision=precision,
        strategy=resolve_strategy(config.strategy),
    )


def check_run_dir(config: TrainConfig, resume: bool) -> None:
    """Refuses a folder that this run may not write into.

    Args:
        config: `TrainConfig`.
        resume: bool, whether to go on with a run of the same settings.

    Raises:
        FileExistsError: when the folder has content and is not to be resumed,
            or has content that no run wrote.
        NotADirectoryError: when it is a file.
        ValueError: when it holds a run with other settings; names them.
    """
    path = pathlib.Path(config.output_dir)
    if resume and (path / CONFIG).is_file():
        check_same_run(
            read_config(config.output_dir), config, config.output_dir
        )
        return
    if resume and path.is_dir():
        # It may have been killed while it wrote its first file.
        remove_unfinished(path)
    try:
        check_output_dir(config.output_dir)
    except FileExistsError as error:
        if (path / CONFIG).is_file():
            raise FileExistsError(
                f"{error} It holds a run; --resume goes on with it."
            ) from None
        raise


def check_same_run(saved: TrainConfig, asked: TrainConfig, where: str) -> None:
    """Refuses to go on with a run under other settings.

    Args:
        saved: config of the run that was started.
        asked: config to go on with.
        where: str, folder of the run, for the message.

    Raises:
        ValueError: names every setting that differs.
    """
    old, new = saved.to_json(), asked.to_json()
    differing = [
        f"{name}={new[name]!r} (the run has {old[name]!r})"
        for name in sorted(new)
        if name not in _NOT_OF_THE_RESULT and new[name] != old[name]
    ]
    if differing:
        raise ValueError(
            f"{where!r} holds a run with other settings. Received: "
            f"{', '.join(differing)}. Accepted: the settings in its "
            f"{CONFIG}, or another `output_dir`."
        )


def remove_unfinished(run_dir: pathlib.Path) -> None:
    """Removes what a killed process had not written to the end."""
    for path in run_dir.rglob(".*.tmp"):
        if not _UNFINISHED.fullmatch(path.name):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def held(run_dir: pathlib.Path) -> Iterator[None]:
    """Keeps a second process from working in the same run folder.

    What an earlier process had not written to the end is removed.

    The system gives the folder free when the process ends, however it ends.

    Raises:
        FileExistsError: when another process is at work there.
    """
    handle = os.open(run_dir, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileExistsError(
                f"Another process is at work in {str(run_dir)!r}. Accepted: "
                "another `output_dir`, or waiting until it has ended."
            ) from None
        except OSError:
            # Some network file systems know no locks.
            pass
        remove_unfinished(run_dir)
        yield
    finally:
        os.close(handle)
