"""A sweep on the screen and in its summary file."""

import pathlib
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from dlfa_tf import files
from dlfa_tf.runs import names
from dlfa_tf.sweeps import state
from dlfa_tf.sweeps.state import CellStatus
from trainers import common_flags

_STYLES = {
    "running": "cyan",
    "finished": "green",
    "failed": "bold red",
    "interrupted": "yellow",
}


class SweepView:
    """Shows a sweep as a live table (in a terminal), or as a line per event.

    Use it as a context; the summary file, JSON, is written at the start, after
    every event and at the end. Without a terminal a line says how far all is as
    soon as the time left is known, and every `every_seconds` after it. The
    table goes to standard output where no console is given.
    """

    def __init__(
        self,
        statuses: Sequence[CellStatus],
        max_parallel: int,
        summary_file: pathlib.Path,
        is_live: bool,
        console: Console | None = None,
        every_seconds: float = 600.0,
    ) -> None:
        self.statuses = statuses
        self.max_parallel = max_parallel
        self.summary_file = summary_file
        self._live = (
            # Refreshed by `refresh`: no thread beside the signal handlers.
            Live(console=console, auto_refresh=False, transient=True)
            if is_live
            else None
        )
        self._console = console or Console()
        self._every_seconds = every_seconds
        self._due = 0.0

    def __enter__(self) -> "SweepView":
        self._write()
        if self._live is not None:
            self._live.start()
            self.refresh()
        else:
            common_flags.say(self._headline())
        return self

    def __exit__(self, *error: object) -> None:
        self._write()
        if self._live is not None:
            self._live.stop()
        self._console.print(self._table())

    def refresh(self) -> None:
        """Draws the live table anew, or says how far all is when it is time."""
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
        elif self._left() is not None and time.monotonic() >= self._due:
            self._due = time.monotonic() + self._every_seconds
            self._write()
            common_flags.say(self._headline())

    def changed(self, status: CellStatus) -> None:
        """Takes note of a run that started or ended."""
        self._write()
        if self._live is not None:
            return
        text = f"{status.cell.name}: {status.state}"
        if status.reason is not None:
            text += f" ({status.reason}); see {status.cell.log_file}"
        if status.averages is not None:
            text += f", {_score(status)} in {_clock(status.seconds)}"
        common_flags.say(f"{text}. {self._headline()}")

    def _write(self) -> None:
        left = self._left()
        files.write_json(
            self.summary_file,
            {
                "schema": 1,
                "runs": [status.to_json() for status in self.statuses],
                "counts": self._counts(),
                "remaining_seconds": None if left is None else round(left),
            },
        )

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for status in self.statuses:
            counts[status.state] = counts.get(status.state, 0) + 1
        return counts

    def _left(self) -> float | None:
        return state.remaining_seconds(self.statuses, self.max_parallel)

    def _headline(self) -> str:
        counts = ", ".join(f"{n} {name}" for name, n in self._counts().items())
        left = self._left()
        about = "unknown" if left is None else f"about {_clock(left)}"
        return f"{len(self.statuses)} runs: {counts}; time left {about}"

    def _table(self) -> Table:
        table = Table(title=self._headline())
        for name in ("run", "state"):
            table.add_column(name, overflow="fold")
        others = "avg w/o " + names.in_words(
            self.statuses[0].cell.config.source_languages
        )
        for name in ("done", "avg", others, "time"):
            table.add_column(name, justify="right")
        for status in self.statuses:
            table.add_row(*_row(status), style=_STYLES.get(status.state))
        return table


def _row(status: CellStatus) -> list[str]:
    done = status.fraction
    averages: dict[str, Any] = status.averages or {}
    state = status.state
    if status.reason is not None:
        state += f" ({status.reason})"
    return [
        status.cell.name,
        state,
        "" if done is None else f"{100 * done:.0f} %",
        *(
            "" if averages.get(name) is None else f"{averages[name]:.1f}"
            for name in ("all", "others")
        ),
        _clock(status.seconds) if status.seconds else "",
    ]


def _score(status: CellStatus) -> str:
    averages = status.averages or {}
    text = f"average {averages['all']:.2f}"
    if averages.get("others") is not None:
        sources = names.in_words(status.cell.config.source_languages)
        text += f", without {sources} {averages['others']:.2f}"
    return text


def _clock(seconds: float) -> str:
    """`2:05:09` for hours, `5:09` for minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    )
