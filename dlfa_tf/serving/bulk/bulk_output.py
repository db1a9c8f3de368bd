"""What bulk inference finds and leaves in its output folder.

Only `bulk.py` imports this; it says what to install where Beam is missing.
"""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

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
    path = FileSystems.join(output, PLAN)
    if not FileSystems.exists(path):
        # Refused where the folder is there: nothing of others is written to.
        FileSystems.mkdirs(output)
        with written(path) as file:
            file.write(json.dumps(plan, indent=2).encode())
        return
    with FileSystems.open(path) as file:
        found = json.loads(file.read())
    differing = sorted(k for k in plan if plan[k] != found.get(k))
    if differing:
        raise FileExistsError(
            f"`output` holds parts of other work: {', '.join(differing)} "
            f"differ(s) from {path}. Accepted: a new folder, or the settings "
            "that the work was begun with."
        )


def _export_digest(export: str) -> str:
    """SHA-256 of what tells an export from another, without its weights.

    The graph alone is the same for all weights; the index of the variables
    has a checksum of each of them. The fingerprint would not do: it differs
    each time that the same model is exported.
    """
    digest = hashlib.sha256()
    for names in (("saved_model.pb",), ("variables", "variables.index")):
        with FileSystems.open(FileSystems.join(export, *names)) as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


@contextlib.contextmanager
def written(path: str) -> Iterator[Any]:
    """A file that appears when it is complete."""
    folder, name = FileSystems.split(path)
    temporary = FileSystems.join(folder, f"{_WRITING}{uuid.uuid4().hex}-{name}")
    try:
        with FileSystems.create(
            temporary, compression_type=CompressionTypes.UNCOMPRESSED
        ) as file:
            yield file
        # A part that was done twice, as runners may, is the same both times.
        if FileSystems.exists(path):
            FileSystems.delete([path])
        FileSystems.rename([temporary], [path])
    except BaseException:
        if FileSystems.exists(temporary):
            FileSystems.delete([temporary])
        raise


def delete_leftovers(output: str) -> None:
    """Deletes what processes that were killed had not yet completed."""
    pattern = FileSystems.join(output, f"{_WRITING}*")
    found = [
        item.path
        for match in FileSystems.match([pattern])
        for item in match.metadata_list
    ]
    if found:
        FileSystems.delete(found)


def check_kept(reports: Sequence[str]) -> None:
    """Refuses kept parts of an earlier run that have lines without an answer.

    The reports are files that would name such lines.
    """
    found = [report for report in reports if FileSystems.exists(report)]
    if found:
        raise ValueError(
            "`strict` accepts no line that could not be read. Received: an "
            f"output folder where an earlier run left {len(found)} part(s) "
            f"with such lines; the first are in {found[0]}. Accepted: a new "
            "folder, or this one without `strict`."
        )


def count_lines(report: str) -> int:
    """Lines of a part that could not be read; 0 where nothing is reported."""
    if not FileSystems.exists(report):
        return 0
    with FileSystems.open(report) as file:
        return file.read().count(b"\n")
