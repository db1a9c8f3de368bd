"""Labels files of any size, in this process or on a cluster.

Input files are cut into parts of some megabytes at line borders. A part is one
unit of work: read, labelled, written aside, renamed. Parts that are there are
not done again, which makes a run restartable; read in the order of their names
they hold one line per input line, in the order of the input.
"""

import contextlib
import dataclasses
import os
from collections.abc import Generator
from collections.abc import Sequence

from dlfa_tf.serving.bulk import output_folder
from dlfa_tf.serving.bulk import parts as files_in_parts
from dlfa_tf.serving.bulk.part_labeller import PartLabeller
from dlfa_tf.serving.bulk.part_labeller import Work
from dlfa_tf.serving.bulk.parts import PART_BYTES
from dlfa_tf.serving.bulk.parts import Part

LOCAL = "local"
# What the runner of this process was called on Apache Beam.
_OLD_LOCAL = "DirectRunner"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Done:
    """What a run did: of all parts, `kept` were there already.

    `lines` counts those labelled now; `bad` those of all parts, kept ones
    among them, that could not be read.
    """

    parts: int
    kept: int
    lines: int
    bad: int


def label_files(
    pattern: str,
    output: str,
    export: str,
    *,
    form: str = "lines",
    batch_size: int = 32,
    strict: bool = False,
    runner: str = LOCAL,
    part_bytes: int = PART_BYTES,
) -> Done:
    """Labels all lines of the files that a pattern names.

    Writes `part-I-of-N.txt` (or `.jsonl`) with one line per input line, each
    with its offset in the file: as a first column, or as the key `offset`.
    `bad-I-of-N.txt` names the lines that could not be read. Started again
    after an interruption, it does what is missing. One run at a time may
    write to a folder.

    Args:
        pattern: str, a path or pattern of any file system that fsspec knows.
        output: str, folder to write into.
        export: str, version's folder of an export; every worker reads it.
        form: str, `"lines"` or `"jsonl"`; see `dlfa_tf.serving.bulk.lines`.
        batch_size: int, examples per run of the graph.
        strict: bool, whether a line that cannot be read stops the run, one
            of a part that is there already before it begins.
        runner: str, `"local"` for this process, or the address of a Dask
            scheduler, `tcp://HOST:PORT`, whose workers see the same paths.
        part_bytes: int, size of a part.

    Returns:
        `Done`.

    Raises:
        FileNotFoundError: when the pattern names no file.
        FileExistsError: when the folder holds the parts of other files or of
            another export, or other things.
        ValueError: when `strict` and a line cannot be read, when the runner
            is neither, or when a path is empty.
        OSError: when no scheduler answers at the address.
        ImportError: when there is an address, but no `distributed`.
    """
    check_runner(runner)
    found = files_in_parts.find_files(pattern)
    if not found:
        raise FileNotFoundError(
            f"`input` names no file. Received: {pattern!r}. Accepted: a path, "
            "or a pattern such as 'texts/*.txt'."
        )
    parts = files_in_parts.cut(found, part_bytes)
    work = Work(
        output=_absolute(output, "output"),
        export=_absolute(export, "export"),
        form=form,
        batch_size=batch_size,
        strict=strict,
        parts=len(parts),
    )
    output_folder.check_plan(work.output, found, work.export, form, part_bytes)
    output_folder.delete_leftovers(work.output)
    missing = [
        part
        for part in parts
        if not output_folder.exists(work.part_file(part.index))
    ]
    if strict:
        redone = {part.index for part in missing}
        output_folder.check_kept(
            [work.report_file(i) for i in range(len(parts)) if i not in redone]
        )
    with contextlib.closing(_label(runner, work, missing)) as counts:
        lines = sum(counts)
    return Done(
        parts=len(parts),
        kept=len(parts) - len(missing),
        lines=lines,
        bad=sum(
            output_folder.count_lines(work.report_file(part.index))
            for part in parts
        ),
    )


def check_runner(runner: str) -> None:
    """ValueError when a runner is neither this process nor an address."""
    if runner not in (LOCAL, _OLD_LOCAL) and "://" not in runner:
        raise ValueError(
            f"`runner` is not known. Received: {runner!r}. Accepted: "
            f"{LOCAL!r}, or the address of a Dask scheduler, such as "
            "'tcp://HOST:8786'. Runners of Apache Beam are no longer used."
        )


def _absolute(path: str, name: str) -> str:
    """A path that workers with another current folder find."""
    place = files_in_parts.user_place(path, name)
    return place.rstrip("/") if "://" in place else os.path.abspath(place)


def _label(runner: str, work: Work, parts: Sequence[Part]) -> Generator[int]:
    """Numbers of lines of the parts, as they are done."""
    if "://" in runner:
        from dlfa_tf.serving.bulk import on_dask

        # No part, no cluster: that everything is done needs none.
        if parts:
            yield from on_dask.label_parts(runner, work, parts)
        return
    labeller = PartLabeller(work)
    try:
        yield from map(labeller.label, parts)
    finally:
        labeller.close()
