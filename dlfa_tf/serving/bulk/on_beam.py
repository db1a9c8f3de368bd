"""Labels files too large for one machine, on Apache Beam.

Input files are cut into parts of some megabytes at line borders. A part is one
unit of work: read, labelled, written aside, renamed. Parts that are there are
not done again, which makes a run restartable; read in the order of their names
they hold one line per input line, in the order of the input.
"""

import dataclasses
import itertools
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

try:
    import apache_beam as beam
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.metrics import Metrics
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.utils.shared import Shared
except ImportError as error:
    raise ImportError(
        "Bulk inference needs the package `apache-beam`. Run: "
        'pip install "dlfa-tf[beam]"'
    ) from error

from dlfa_tf import words
from dlfa_tf.serving.bulk import bulk_output
from dlfa_tf.serving.bulk import lines
from dlfa_tf.serving.client import Client

PART_BYTES = 8 * 2**20
_SPACE = "dlfa_tf"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """A range of bytes; lines belong to the part that they begin in.

    The index counts in the order of the input. The end is the byte after the
    last; None for all that is left, as in a compressed file, which cannot be
    entered in its middle.
    """

    index: int
    path: str
    start: int
    end: int | None


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
    runner: str = "DirectRunner",
    options: Sequence[str] = (),
    part_bytes: int = PART_BYTES,
) -> Done:
    """Labels all lines of the files that a pattern names.

    Writes `part-I-of-N.txt` (or `.jsonl`) with one line per input line, each
    with its offset in the file: as a first column, or as the key `offset`.
    `bad-I-of-N.txt` names the lines that could not be read. Started again
    after an interruption, it does what is missing. One run at a time may
    write to a folder.

    Args:
        pattern: str, a path or pattern of any file system that Beam knows.
        output: str, folder to write into.
        export: str, version's folder of an export; every worker reads it.
        form: str, `"lines"` or `"jsonl"`; see `dlfa_tf.serving.bulk.lines`.
        batch_size: int, examples per run of the graph.
        strict: bool, whether a line that cannot be read stops the run, one
            of a part that is there already before it begins.
        runner: str, name of a runner of Beam.
        options: options of the runner, each `name=value`.
        part_bytes: int, size of a part.

    Returns:
        `Done`.

    Raises:
        FileNotFoundError: when the pattern names no file.
        FileExistsError: when the folder holds the parts of other files or of
            another export.
        ValueError: when `strict` and a line cannot be read.
    """
    files = [
        (item.path, item.size_in_bytes)
        for match in FileSystems.match([pattern])
        for item in sorted(match.metadata_list, key=lambda item: item.path)
    ]
    if not files:
        raise FileNotFoundError(
            f"`input` names no file. Received: {pattern!r}. Accepted: a path, "
            "or a pattern such as 'texts/*.txt'."
        )
    parts = cut(files, part_bytes)
    bulk_output.check_plan(output, files, export, form, part_bytes)
    bulk_output.delete_leftovers(output)
    ending = "jsonl" if form == "jsonl" else "txt"
    names = {part.index: f"{part.index:05d}-of-{len(parts):05d}"
             for part in parts}  # fmt: skip
    missing = [
        part
        for part in parts
        if not FileSystems.exists(
            FileSystems.join(output, f"part-{names[part.index]}.{ending}")
        )
    ]
    reports = {
        i: FileSystems.join(output, f"bad-{name}.txt")
        for i, name in names.items()
    }
    if strict:
        redone = {part.index for part in missing}
        bulk_output.check_kept(
            [x for i, x in reports.items() if i not in redone]
        )
    work = _LabelPart(
        output, export, form, batch_size, strict, len(parts), ending
    )
    flags = [f"--{option.lstrip('-')}" for option in options]
    pipeline = beam.Pipeline(runner, options=PipelineOptions(flags))
    # Without Reshuffle all parts could end up with one worker.
    _ = (
        pipeline
        | "Parts" >> beam.Create(missing, reshuffle=False)
        | "Spread" >> beam.Reshuffle()
        | "Label" >> beam.ParDo(work)
    )
    result = pipeline.run()
    result.wait_until_finish()
    return Done(
        parts=len(parts),
        kept=len(parts) - len(missing),
        lines=_count(result, "lines"),
        bad=sum(map(bulk_output.count_lines, reports.values())),
    )


def cut(files: Sequence[tuple[str, int]], part_bytes: int) -> list[Part]:
    """Cuts files into parts; an empty file is one part without lines."""
    ranges: list[tuple[str, int, int | None]] = []
    for path, size in files:
        kind = CompressionTypes.detect_compression_type(path)
        if kind != CompressionTypes.UNCOMPRESSED:
            ranges.append((path, 0, None))
            continue
        for start in range(0, max(size, 1), part_bytes):
            ranges.append((path, start, min(start + part_bytes, size)))
    return [
        Part(index=i, path=path, start=start, end=end)
        for i, (path, start, end) in enumerate(ranges)
    ]


def read_part(part: Part) -> Iterator[tuple[int, bytes]]:
    """Yields offset and content of every line that begins in a part."""
    kind = CompressionTypes.AUTO
    if part.end is not None:
        kind = CompressionTypes.UNCOMPRESSED
    with FileSystems.open(part.path, compression_type=kind) as file:
        position = part.start
        if part.start:
            # The line that the byte before belongs to is another part's.
            file.seek(part.start - 1)
            position += len(file.readline()) - 1
        while part.end is None or position < part.end:
            line = file.readline()
            if not line:
                return
            mark = words.BYTE_ORDER_MARK.encode()
            yield position, line if position else line.removeprefix(mark)
            position += len(line)


def _count(result: Any, name: str) -> int:
    found = result.metrics().query(beam.metrics.MetricsFilter()
                                   .with_name(name))  # fmt: skip
    return sum(counter.result or 0 for counter in found["counters"])


class _LabelPart(beam.DoFn):
    """Labels a part and writes it."""

    def __init__(
        self,
        output: str,
        export: str,
        form: str,
        batch_size: int,
        strict: bool,
        parts: int,
        ending: str,
    ) -> None:
        self._output = output
        self._export = export
        self._form = form
        self._batch_size = batch_size
        self._strict = strict
        self._parts = parts
        self._ending = ending
        self._shared = Shared()
        self._lines = Metrics.counter(_SPACE, "lines")

    def setup(self) -> None:
        """Loads the export, once for all threads of a process."""
        self._client = self._shared.acquire(
            lambda: Client.of_export(
                self._export, max_batch_size=self._batch_size
            )
        )
        self._kind = self._client.kind

    def process(self, part: Part) -> None:
        """Writes the lines of one part, and the list of its bad lines."""
        bad: list[str] = []
        name = f"{part.index:05d}-of-{self._parts:05d}"
        path = FileSystems.join(self._output, f"part-{name}.{self._ending}")
        report = FileSystems.join(self._output, f"bad-{name}.txt")
        lines = read_part(part)
        with bulk_output.written(path) as file:
            while batch := list(itertools.islice(lines, self._batch_size)):
                for text in self._label(part, batch, bad):
                    file.write(text.encode("utf-8") + b"\n")
                self._lines.inc(len(batch))
            if bad:
                # Before the part itself appears, which counts as done.
                with bulk_output.written(report) as other:
                    other.write("".join(bad).encode("utf-8"))
            elif FileSystems.exists(report):
                # Of a run that ended before its part appeared.
                FileSystems.delete([report])

    def _label(
        self, part: Part, batch: list[tuple[int, bytes]], bad: list[str]
    ) -> list[str]:
        def report(index: int, message: str) -> None:
            text = f"{part.path}, byte {batch[index][0]}: {message}"
            if self._strict:
                raise ValueError(text)
            bad.append(text + "\n")

        return lines.label_lines(
            self._client,
            self._kind,
            self._form,
            [line for _, line in batch],
            report,
            [offset for offset, _ in batch],
        )
