"""The files of a run folder; each is written aside and renamed."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

from dlfa_tf import files

RESULTS = "results.json"
CONFIG = "config.json"
SCHEMA = 1


def check_output_dir(
    output_dir: str,
    but: Callable[[pathlib.Path], bool] = lambda _: False,
) -> None:
    """Refuses an output folder that holds anything, with FileExistsError.

    `but` says which files and folders in it do not count. NotADirectoryError
    when it is a file.
    """
    path = files.user_path(output_dir, "output_dir")
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(
            f"`output_dir` is a file. Received: {output_dir!r}. Accepted: a "
            "new or an empty folder."
        )
    names = sorted(
        p.name for p in (path.iterdir() if path.is_dir() else ()) if not but(p)
    )
    if names:
        raise FileExistsError(
            f"`output_dir` has content, which is never overwritten. Received: "
            f"{output_dir!r} with {names[:6]}. Accepted: a new or an empty "
            "folder."
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
