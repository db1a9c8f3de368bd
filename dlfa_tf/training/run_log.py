"""What a run reports while it trains: `metrics.jsonl` and TensorBoard.

TensorBoard's files are a copy of `metrics.jsonl`. A run that goes on cuts the
latter back to the checkpoint and writes the former anew, so that no step is
in either of them twice.
"""

import json
import pathlib
import shutil
from typing import Any

from dlfa_tf import files

METRICS = "metrics.jsonl"
LOGS = "logs"
# Key of what differs between two runs of equal settings.
TIMING = "timing"


class RunLog:
    """Writes entries of a run to `metrics.jsonl` and to `logs/`.

    Without `run_dir` it writes nothing. What `metrics.jsonl` has after the byte
    `position` is cut off, and so is a last line without its end: a power
    failure may have left less than the checkpoint saw.
    """

    def __init__(self, run_dir: pathlib.Path | None, position: int = 0) -> None:
        self._file = None if run_dir is None else run_dir / METRICS
        self._board = None
        if self._file is None or run_dir is None:
            return
        if self._file.exists():
            _cut_back(self._file, position)
        shutil.rmtree(run_dir / LOGS, ignore_errors=True)
        self._board = _scalar_writer(run_dir / LOGS)
        if self._board is not None and self._file.exists():
            for line in self._file.read_text(encoding="utf-8").splitlines():
                self._to_board(json.loads(line))

    @property
    def position(self) -> int:
        """Bytes of `metrics.jsonl` so far."""
        if self._file is None or not self._file.exists():
            return 0
        return self._file.stat().st_size

    def write(self, entry: dict[str, Any]) -> None:
        """Adds an entry, which has a `step`."""
        if self._file is not None:
            files.append_json_line(self._file, entry)
            self._to_board(entry)

    def sync(self) -> None:
        """Waits until the disk has what was written."""
        if self._file is not None and self._file.exists():
            files.wait_for_disk(self._file)

    def close(self) -> None:
        """Writes what is left."""
        if self._board is not None:
            self._board.close()

    def _to_board(self, entry: dict[str, Any]) -> None:
        if self._board is None:
            return
        for name, value in _scalars(entry):
            if name not in ("step", "epoch"):
                self._board.add_scalar(name, value, entry["step"])


def _cut_back(file: pathlib.Path, position: int) -> None:
    """Leaves the whole lines among the first `position` bytes."""
    with file.open("r+b") as stream:
        # Never longer than it was: the system would fill up with NUL bytes.
        stream.truncate(stream.read(position).rfind(b"\n") + 1)


def _scalars(entry: dict[str, Any], prefix: str = "") -> Any:
    for name, value in entry.items():
        if isinstance(value, dict):
            yield from _scalars(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)):
            yield prefix + name, value


def _scalar_writer(folder: pathlib.Path) -> Any:
    """Writer of TensorBoard files; None where TensorBoard is not installed.

    Not TensorFlow's own writer: there may be none of it under JAX.
    """
    try:
        from tensorboard.summary import Writer
    except ImportError:
        return None
    return Writer(str(folder))
