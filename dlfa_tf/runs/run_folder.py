"""The files of a run folder; each is written aside and renamed."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

from dlfa_tf import files

RESULTS = "results.json"
CONFIG = "config.json"
SCHEMA = 1
# What is in folders of runs, presets and exports.
_NO_PARENT = (CONFIG, RESULTS, "saved_model.pb")


def check_output_dir(
    output_dir: str,
    but: Callable[[pathlib.Path], bool] = lambda _: False,
) -> None:
    """Refuses an output folder that holds anything, or cannot be written to.

    Args:
        output_dir: folder, which need not be there.
        but: says which files and folders in it do not count. Defaults to
            none.

    Raises:
        FileExistsError: when it has content.
        NotADirectoryError: when it is a file, or below one.
        PermissionError: when it cannot be made, or written to.
    """
    path = files.user_path(output_dir, "output_dir")
    files.check_can_be_made(path, "output_dir")
    names = sorted(
        p.name for p in (path.iterdir() if path.is_dir() else ()) if not but(p)
    )
    if names:
        raise FileExistsError(
            f"`output_dir` has content, which is never overwritten. Received: "
            f"{output_dir!r} with {names[:6]}. Accepted: a new or an empty "
            "folder."
        )


def check_parent_dir(folder: str, name: str) -> None:
    """Refuses a folder that folders of runs or exports cannot be made in.

    Args:
        folder: path, which need not be there.
        name: str, name of the argument, for the message.

    Raises:
        FileExistsError: when it is itself a run, a preset or an export.
        OSError: when it cannot be made, or written to.
    """
    path = files.user_path(folder, name)
    files.check_can_be_made(path, name)
    found = [file for file in _NO_PARENT if (path / file).exists()]
    if found:
        raise FileExistsError(
            f"`{name}` holds {', '.join(found)} and is a run, a preset or an "
            f"export itself. Received: {str(folder)!r}. Accepted: a new folder "
            "or one of folders."
        )


def read_results(run_dir: str | os.PathLike) -> dict[str, Any]:
    """Reads `results.json` of a run folder.

    FileNotFoundError when the folder has no results; ValueError when they were
    written by another version of the schema.
    """
    path = files.user_path(run_dir, "run_dir") / RESULTS
    if not path.is_file():
        raise FileNotFoundError(
            f"{str(run_dir)!r} holds no {RESULTS}. Accepted: the `output_dir` "
            "of a finished run."
        )
    results = files.read_json(path)
    found = results.get("schema") if isinstance(results, dict) else None
    if found != SCHEMA:
        raise ValueError(
            f"{path}: unknown schema. Received: {found!r}. Accepted: {SCHEMA}."
        )
    return results
