"""Labels parts of files and writes them, one after the other."""

import dataclasses
import functools
import itertools
import threading
from typing import Any

from dlfa_tf.serving.bulk import lines
from dlfa_tf.serving.bulk import output_folder
from dlfa_tf.serving.bulk.parts import Part
from dlfa_tf.serving.bulk.parts import read_part
from dlfa_tf.serving.client import Client


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """What is done to every part: plain values, which reach other machines.

    `parts` is their number, `ending` that of the names of their files.
    """

    output: str
    export: str
    form: str
    batch_size: int
    strict: bool
    parts: int

    @property
    def ending(self) -> str:
        """Of the files of parts."""
        return "jsonl" if self.form == "jsonl" else "txt"

    def part_file(self, index: int) -> str:
        """Path of the file with the labelled lines of a part."""
        return self._file("part", index, self.ending)

    def report_file(self, index: int) -> str:
        """Path of the file that names the lines that could not be read."""
        return self._file("bad", index, "txt")

    def _file(self, kind: str, index: int, ending: str) -> str:
        name = f"{kind}-{index:05d}-of-{self.parts:05d}.{ending}"
        return output_folder.join(self.output, name)


class PartLabeller:
    """Labels the parts of some work; loads the export when it is needed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lock = threading.Lock()

    @functools.cached_property
    def _client(self) -> Client:
        return Client.of_export(
            self._work.export, max_batch_size=self._work.batch_size
        )

    @functools.cached_property
    def _kind(self) -> str:
        return self._client.kind

    def label(self, part: Part) -> int:
        """Writes the lines of a part, and the list of its bad lines.

        Returns their number. ValueError for the first that cannot be read,
        when the work is strict.
        """
        with self._lock:
            kind = self._kind
        work, count = self._work, 0
        bad: list[str] = []
        found = read_part(part)
        report = work.report_file(part.index)
        with output_folder.written(work.part_file(part.index)) as file:
            while batch := list(itertools.islice(found, work.batch_size)):
                for text in self._label(kind, part, batch, bad):
                    file.write(text.encode("utf-8") + b"\n")
                count += len(batch)
            # Before the part itself appears, which counts as done.
            if bad:
                with output_folder.written(report) as other:
                    other.write("".join(bad).encode("utf-8"))
            else:
                # Of a run that ended before its part appeared.
                output_folder.delete(report)
        return count

    def close(self) -> None:
        """Gives the memory of the export back."""
        if "_client" in self.__dict__:
            self._client.close()

    def _label(
        self,
        kind: str,
        part: Part,
        batch: list[tuple[int, bytes]],
        bad: list[str],
    ) -> list[str]:
        def report(index: int, message: str) -> None:
            text = f"{part.path}, byte {batch[index][0]}: {message}"
            if self._work.strict:
                raise ValueError(text)
            bad.append(text + "\n")

        return lines.label_lines(
            self._client,
            kind,
            self._work.form,
            [line for _, line in batch],
            report,
            [offset for offset, _ in batch],
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # A labeller that is sent to another process loads the export there.
        return PartLabeller, (self._work,)
