"""A run folder: new, to go on with, or somebody else's."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

from dlfa_tf import files
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import same_settings
from dlfa_tf.runs import settings
from dlfa_tf.runs.run_folder import CONFIG
from dlfa_tf.runs.run_folder import RESULTS
from dlfa_tf.runs.settings import TrainConfig


def is_finished(run_dir: pathlib.Path) -> bool:
    """Whether a run folder has results."""
    return (run_dir / RESULTS).is_file()


def find_run(
    config: TrainConfig, bundle_sha256: str | None = None
) -> dict[str, Any] | None:
    """Finds the run in the `output_dir` of a config; changes nothing there.

    Gives its `results.json`, or its `config.json` when it is not finished; None
    when there is no run. ValueError names each setting that is another one,
    with both values; FileExistsError says that something else than a run is
    there, NotADirectoryError that it is a file.
    """
    run_dir = pathlib.Path(config.output_dir)
    if is_finished(run_dir):
        record = run_folder.read_results(run_dir)
    elif (run_dir / CONFIG).is_file():
        # For its error, when no run wrote the file.
        settings.read_config(config.output_dir)
        record = files.read_json(run_dir / CONFIG)
    else:
        # It may have been killed while it wrote its first file. Not removed
        # here: another process may be at work.
        try:
            run_folder.check_output_dir(
                config.output_dir, but=files.is_unfinished
            )
        except FileExistsError as error:
            raise FileExistsError(
                f"{error} It holds no run that could be gone on with."
            ) from None
        return None
    same_settings.check_same_settings(
        record["config"],
        config,
        str(run_dir),
        (record.get("bundle") or {}).get("sha256"),
        bundle_sha256,
    )
    return record


def check_run_dir(
    config: TrainConfig, resume: bool, bundle_sha256: str | None = None
) -> None:
    """Refuses a folder that this run may not write into.

    With `resume` it may hold a run with the same settings on the same bundle;
    ValueError names those that differ. FileExistsError says that there is other
    content, NotADirectoryError that it is a file.
    """
    if resume:
        find_run(config, bundle_sha256)
        return
    try:
        run_folder.check_output_dir(config.output_dir)
    except FileExistsError as error:
        if (pathlib.Path(config.output_dir) / CONFIG).is_file():
            raise FileExistsError(
                f"{error} It holds a run; --resume goes on with it."
            ) from None
        raise


@contextlib.contextmanager
def held(run_dir: pathlib.Path) -> Iterator[None]:
    """Keeps a second process from working in the same run folder.

    FileExistsError says that another process is at work there. What an earlier
    process had not written to the end is removed. The system gives the folder
    free when the process ends, however it ends.
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
