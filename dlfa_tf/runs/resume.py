"""A run folder: new, to go on with, or somebody else's."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator

from dlfa_tf import files
from dlfa_tf.runs import environment
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import same_settings
from dlfa_tf.runs import settings
from dlfa_tf.runs import workers
from dlfa_tf.runs.run_folder import CONFIG
from dlfa_tf.runs.settings import TrainConfig


def resolved(config: TrainConfig, resume: bool = False) -> TrainConfig:
    """Decides what `auto` means on this machine, or in the run to go on with.

    Args:
        config: `TrainConfig`.
        resume: bool, whether the run in `output_dir`, if there is one, decides
            the precision: half a run in another would be neither. Defaults to
            `False`.

    Returns:
        The config without any `auto`.

    Raises:
        ValueError: for a wrong TF_CONFIG, or a folder whose `config.json` no
            run wrote.
    """
    return dataclasses.replace(
        config,
        precision=_precision(config, resume),
        strategy=workers.resolve_strategy(config.strategy),
    )


def _precision(config: TrainConfig, resume: bool) -> str:
    if config.precision != "auto":
        return config.precision
    if resume and (pathlib.Path(config.output_dir) / CONFIG).is_file():
        begun_in = settings.read_config(config.output_dir).precision
        if begun_in != "auto":
            return begun_in
    return "mixed_bfloat16" if environment.has_fast_bfloat16() else "float32"


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
        saved = settings.read_config(config.output_dir).to_json()
        same_settings.check_same_settings(saved, config, config.output_dir)
        return
    if resume and path.is_dir():
        # It may have been killed while it wrote its first file.
        files.remove_unfinished(path)
    try:
        run_folder.check_output_dir(config.output_dir)
    except FileExistsError as error:
        if (path / CONFIG).is_file():
            raise FileExistsError(
                f"{error} It holds a run; --resume goes on with it."
            ) from None
        raise


@contextlib.contextmanager
def held(run_dir: pathlib.Path) -> Iterator[None]:
    """Keeps a second process from working in the same run folder.

    What an earlier process had not written to the end is removed.

    The system gives the folder free when the process ends, however it ends.

    Raises:
        FileExistsError: when another process is at work there.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(files.locked(run_dir))
        except BlockingIOError:
            raise FileExistsError(
                f"Another process is at work in {str(run_dir)!r}. Accepted: "
                "another `output_dir`, or waiting until it has ended."
            ) from None
        files.remove_unfinished(run_dir)
        yield
