"""The folder that bulk inference writes to, on any file system of fsspec."""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

PLAN = "plan.json"
# Begins the names of incomplete files; `part-*` must not match them.
_WRITING = ".writing-"


def check_plan(
    output: str,
    files: Sequence[tuple[str, int]],
    export: str,
    form: str,
    part_bytes: int,
) -> None:
    """Writes down what the parts are parts of, or compares with it."""
    plan = {
        "files": [list(item) for item in files],
        "export": _export_digest(export),
        "form": form,
        "part_bytes": part_bytes,
    }
    path = join(output, PLAN)
    if not exists(path):
        system, folder = fsspec.core.url_to_fs(output)
        if system.exists(folder) and system.ls(folder):
            raise FileExistsError(
                f"`output` holds files of something else. Received: "
                f"{output!r}. Accepted: a new folder, or one that a run was "
                f"begun in, with its {PLAN}."
            )
        system.makedirs(folder, exist_ok=True)
        with written(path) as file:
            file.write(json.dumps(plan, indent=2).encode())
        return
    with fsspec.open(path, "rb") as file:
        found = json.loads(file.read())
    found["files"] = [
        # Earlier versions wrote down paths as they were given.
        [name if "://" in name else os.path.abspath(name), size]
        for name, size in found.get("files", ())
    ]
    differing = sorted(k for k in plan if plan[k] != found.get(k))
    if differing:
        raise FileExistsError(
            f"`output` holds parts of other work: {', '.join(differing)} "
            f"differ(s) from {path}. Accepted: a new folder, or the settings "
            "that the work was begun with."
        )


def join(folder: str, *names: str) -> str:
    """A path in a folder, on any file system."""
    return "/".join((folder.rstrip("/"), *names))


def exists(path: str) -> bool:
    """Whether a file or folder is there."""
    system, name = fsspec.core.url_to_fs(path)
    return system.exists(name)


def _export_digest(export: str) -> str:
    """SHA-256 of what tells an export from another, without its weights.

    The graph alone is the same for all weights; the index of the variables
    has a checksum of each of them. The fingerprint would not do: it differs
    each time that the same model is exported.
    """
    digest = hashlib.sha256()
    for names in (("saved_model.pb",), ("variables", "variables.index")):
        with fsspec.open(join(export, *names), "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


@contextlib.contextmanager
def written(path: str) -> Iterator[Any]:
    """A file that appears when it is complete."""
    folder, _, name = path.rpartition("/")
    temporary = join(folder, f"{_WRITING}{uuid.uuid4().hex}-{name}")
    system, aside = fsspec.core.url_to_fs(temporary)
    try:
        with system.open(aside, "wb") as file:
            yield file
        # A part that was done twice, as may be when a worker is taken for
        # lost, is the same both times.
        if isinstance(system, LocalFileSystem):
            os.replace(temporary, path)
        else:
            system.mv(aside, fsspec.core.url_to_fs(path)[1])
    finally:
        if system.exists(aside):
            system.rm(aside)


def delete_leftovers(output: str) -> None:
    """Deletes what processes that were killed had not yet completed."""
    system, folder = fsspec.core.url_to_fs(output)
    for path in system.ls(folder, detail=False):
        if path.rpartition("/")[2].startswith(_WRITING):
            system.rm(path)


def delete(path: str) -> None:
    """Deletes a file, if it is there."""
    if exists(path):
        system, name = fsspec.core.url_to_fs(path)
        system.rm(name)


def check_kept(reports: Sequence[str]) -> None:
    """Refuses kept parts of an earlier run that have lines without an answer.

    The reports are files that would name such lines.
    """
    found = [report for report in reports if exists(report)]
    if found:
        raise ValueError(
            "`strict` accepts no line that could not be read. Received: an "
            f"output folder where an earlier run left {len(found)} part(s) "
            f"with such lines; the first are in {found[0]}. Accepted: a new "
            "folder, or this one without `strict`."
        )


def count_lines(report: str) -> int:
    """Lines of a part that could not be read; 0 where nothing is reported."""
    if not exists(report):
        return 0
    with fsspec.open(report, "rb") as file:
        return file.read().count(b"\n")
