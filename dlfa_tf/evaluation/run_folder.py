"""The files of a run folder; each is written aside and renamed."""

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

RESULTS = "results.json"
CONFIG = "config.json"
SCHEMA = 1


def check_output_dir(
    output_dir: str,
    but: Callable[[pathlib.Path], bool] = lambda _: False,
) -> None:
    """Refuses an output folder that holds anything.

    Args:
        output_dir: str, the folder.
        but: whether a file or folder in it does not count. Defaults to none.

    Raises:
        FileExistsError: when the folder has content.
        NotADirectoryError: when it is a file.
    """
    path = pathlib.Path(output_dir)
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


def write_predictions(
    run_dir: pathlib.Path, split: str, language: str, predicted: list[Any]
) -> None:
    """Writes `predictions/{split}-{language}.tsv`.

    Pairs: one label per line. Tagging: one tag per line, a blank line after
    every sentence (XTREME's form of a submission).
    """
    lines = []
    for item in predicted:
        if isinstance(item, list):
            lines += [*item, ""]
        else:
            lines.append(item)
    path = run_dir / "predictions" / f"{split}-{language}.tsv"
    write_text(path, "\n".join(lines) + "\n")


def read_results(run_dir: str | os.PathLike) -> dict[str, Any]:
    """Reads `results.json` of a run folder.

    Raises:
        FileNotFoundError: when the folder has no results.
        ValueError: when they were written by another version of the schema.
    """
    path = pathlib.Path(run_dir) / RESULTS
    if not path.is_file():
        raise FileNotFoundError(
            f"{str(run_dir)!r} holds no {RESULTS}. Accepted: the `output_dir` "
            "of a finished run."
        )
    results = json.loads(path.read_text(encoding="utf-8"))
    if results.get("schema") != SCHEMA:
        raise ValueError(
            f"{path}: unknown schema. Received: {results.get('schema')!r}. "
            f"Accepted: {SCHEMA}."
        )
    return results
