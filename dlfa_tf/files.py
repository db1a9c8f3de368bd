"""Files written aside and renamed; what a killed process left of that."""

import json
import os
import pathlib
import re
import shutil
from typing import Any

_UNFINISHED = re.compile(r"\..*\.\d+\.tmp")


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a file under a temporary name and renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes plain values as indented JSON; see `write_text`."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: pathlib.Path) -> Any:
    """Reads what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def append_json_line(path: pathlib.Path, value: dict) -> None:
    """Adds one line to a JSON lines file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(value, sort_keys=True) + "\n")


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
