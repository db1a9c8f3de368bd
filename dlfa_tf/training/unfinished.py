"""What a process that was killed had not written to the end."""

import pathlib
import re
import shutil

_UNFINISHED = re.compile(r"\..*\.\d+\.tmp")


def is_unfinished(path: pathlib.Path) -> bool:
    """Whether a file is what a process writes before it renames it."""
    return _UNFINISHED.fullmatch(path.name) is not None


def remove_unfinished(run_dir: pathlib.Path) -> None:
    """Removes what a killed process had not written to the end."""
    for path in run_dir.rglob(".*.tmp"):
        if not is_unfinished(path):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
