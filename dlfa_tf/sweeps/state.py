"""What a sweep finds in the folder of a run, and what it writes of all."""

import dataclasses
import json
import pathlib
import signal
from collections.abc import Sequence
from typing import Any

from dlfa_tf.runs import resuming
from dlfa_tf.runs import run_folder
from dlfa_tf.sweeps.cells import Cell

# States of a run that is still to be started.
WAITING = ("new", "unfinished")

# Before it the time of a run is that of its start: tracing, reading, caches.
_TELLING_FRACTION = 0.02
_TAIL_LINES = 8
_TAIL_BYTES = 8192


@dataclasses.dataclass(kw_only=True)
class CellStatus:
    """How far one run of a sweep is; changes while the sweep is at work.

    Attributes:
        cell: `Cell`.
        state: str, `new` or `unfinished` (both wait), `running`, `finished`,
            `skipped` (was finished before), `failed`, `interrupted` or
            `elsewhere` (another process is at work on it).
        seconds: float, time that the run took so far, in this sweep; for a
            skipped one what its results say.
        fraction: float in [0, 1] or None, share of its steps that are done.
        averages: dict or None, headline scores in percent: `all`, `others`.
        exit_code: int or None; negative is the signal that ended it.
        log_tail: last lines that a failed run printed.
    """

    cell: Cell
    state: str
    seconds: float = 0.0
    fraction: float | None = None
    averages: dict[str, float | None] | None = None
    exit_code: int | None = None
    log_tail: list[str] = dataclasses.field(default_factory=list)

    def update(self, other: "CellStatus") -> None:
        """Takes over what was found anew of the same run."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(other, field.name))

    def read_finished(self) -> None:
        """Takes the scores from the results of the run."""
        self.state, self.fraction = "finished", 1.0
        self.averages = run_folder.read_results(self.cell.folder)["averages"]

    def read_fraction(self) -> None:
        """Takes how far the run is from the end of its `metrics.jsonl`."""
        for line in reversed(_tail(self.cell.folder / "metrics.jsonl")):
            try:
                epoch = json.loads(line)["epoch"]
            except (ValueError, KeyError):
                continue
            self.fraction = min(1.0, epoch / self.cell.config.epochs)
            return

    @property
    def reason(self) -> str | None:
        """Why a run ended early, in a few words; None for any other."""
        if self.state not in ("failed", "interrupted"):
            return None
        if self.exit_code is None or self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        name = signal.Signals(-self.exit_code).name
        # What the kernel does when memory runs out.
        hint = ", out of memory?" if name == "SIGKILL" else ""
        return f"ended by {name}{hint}"

    def to_json(self) -> dict[str, Any]:
        """Plain values for the sweep's summary."""
        config = self.cell.config
        return {
            "name": self.cell.name,
            "task": config.task,
            "system": config.system,
            "gate": config.gate_used,
            "seed": config.seed,
            "state": self.state,
            "seconds": round(self.seconds, 1),
            "averages": self.averages,
            "exit_code": self.exit_code,
            "reason": self.reason,
            "log_tail": self.log_tail,
        }


def find_status(cell: Cell) -> CellStatus:
    """Looks into a run's folder: it is `new`, `unfinished` or `skipped`.

    ValueError when the folder holds a run with other settings, FileExistsError
    when it holds something else than a run.
    """
    record = resuming.find_run(cell.config, cell.bundle_sha256)
    if record is None:
        return CellStatus(cell=cell, state="new")
    if not resuming.is_finished(cell.folder):
        return CellStatus(cell=cell, state="unfinished")
    status = CellStatus(cell=cell, state="skipped", fraction=1.0)
    status.seconds = float(sum(record.get("seconds", {}).values()))
    status.averages = record["averages"]
    return status


def read_tail(file: pathlib.Path) -> list[str]:
    """The last lines of a log file; empty where there is none."""
    return _tail(file)[-_TAIL_LINES:]


def _tail(file: pathlib.Path) -> list[str]:
    """Whole lines near the end of a file, however long it is."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = text.splitlines()[1 if size > _TAIL_BYTES else 0 :]
    return [line.rstrip() for line in lines if line.strip()]


def remaining_seconds(
    statuses: Sequence[CellStatus], max_parallel: int
) -> float | None:
    """Estimates how long a sweep still takes; None while nothing is known.

    A run that has not started is taken to last as long as the finished runs of
    its task did on average, or as the running ones promise after a fiftieth of
    their steps.
    """
    expected: dict[str, list[float]] = {}
    for status in statuses:
        done = status.fraction or 0.0
        if status.state in ("finished", "skipped") and status.seconds:
            lasts = status.seconds
        elif status.state == "running" and done >= _TELLING_FRACTION:
            lasts = status.seconds / done
        else:
            continue
        expected.setdefault(status.cell.config.task, []).append(lasts)
    known = [x for values in expected.values() for x in values]
    open_states = (*WAITING, "running")
    waiting = [s for s in statuses if s.state in open_states]
    if not waiting:
        return 0.0
    if not known:
        return None
    total = longest = 0.0
    for status in waiting:
        values = expected.get(status.cell.config.task, known)
        left = max(0.0, sum(values) / len(values) - status.seconds)
        total += left
        longest = max(longest, left)
    return max(longest, total / max_parallel)
