"""Many runs, each in a process of its own: one that dies takes none along."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from types import FrameType
from typing import IO

from dlfa_tf import files
from dlfa_tf.runs.run_folder import RESULTS
from dlfa_tf.sweeps import state
from dlfa_tf.sweeps.cells import Cell
from dlfa_tf.sweeps.state import WAITING
from dlfa_tf.sweeps.state import CellStatus


@dataclasses.dataclass(kw_only=True)
class _Process:
    """A run at work."""

    status: CellStatus
    process: subprocess.Popen
    log: IO[bytes]
    began: float
    signals_sent: int = 0


class Sweep:
    """Works through runs, at most some at a time, and keeps count.

    A run that fails is recorded and the others go on. A run that another sweep
    is at work on, in the same folder, is left to it (`elsewhere`). SIGINT and
    SIGTERM are handed to the runs as SIGTERM, upon which they save their
    state; a second one kills them.

    The statuses come from `find_status` and are updated in place. `command`
    gives the command line of a run, which goes on with what is in its folder;
    `environment` adds to the variables of this process. `on_change` is called
    whenever a run starts or ends, `on_poll` after every look at the runs.
    """

    def __init__(
        self,
        statuses: Sequence[CellStatus],
        command: Callable[[Cell], list[str]],
        *,
        max_parallel: int = 1,
        environment: Mapping[str, str] | None = None,
        on_change: Callable[[CellStatus], None] = lambda _: None,
        on_poll: Callable[[], None] = lambda: None,
        poll_seconds: float = 0.5,
    ) -> None:
        self.statuses = list(statuses)
        self.command = command
        self.max_parallel = max_parallel
        self.environment = {**os.environ, **(environment or {})}
        self.on_change = on_change
        self.on_poll = on_poll
        self.poll_seconds = poll_seconds
        self.stopped_by: signal.Signals | None = None
        self._signals_seen = 0
        self._running: list[_Process] = []

    def run(self) -> None:
        """Works until every run has ended, or until a signal.

        After a signal `stopped_by` names it, and the runs that it ended are
        `interrupted`. An error in a callback ends the runs too, and so does
        one of `find_status` where others changed a folder after the sweep
        began.
        """
        waiting = [s for s in self.statuses if s.state in WAITING]
        with self._signals():
            try:
                while self._running or (waiting and not self.stopped_by):
                    while (
                        waiting
                        and not self.stopped_by
                        and len(self._running) < self.max_parallel
                    ):
                        status = waiting.pop(0)
                        self._start(status)
                        self.on_change(status)
                    time.sleep(self.poll_seconds if self._running else 0)
                    self._pass_signals_on()
                    for status in self._collect():
                        self.on_change(status)
                    self.on_poll()
            finally:
                self._end_all()

    def _start(self, status: CellStatus) -> None:
        """Starts a run, unless others are at work on it or have finished."""
        cell = status.cell
        cell.log_file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            try:
                lock = held.enter_context(files.locked(cell.lock_file))
            except BlockingIOError:
                status.state = "elsewhere"
                return
            status.update(state.find_status(cell))
            if status.state not in WAITING:
                return
            with contextlib.ExitStack() as stack:
                log = stack.enter_context(cell.log_file.open("ab"))
                process = subprocess.Popen(
                    self.command(cell),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**self.environment, "PYTHONUNBUFFERED": "1"},
                    # Ctrl-C does not reach it but through here.
                    start_new_session=True,
                    # The run holds the lock as long as it lives, even when
                    # this process is killed.
                    pass_fds=(lock.descriptor,),
                )
                stack.pop_all()
        status.state = "running"
        began = time.monotonic()
        self._running.append(
            _Process(status=status, process=process, log=log, began=began)
        )

    def _collect(self) -> list[CellStatus]:
        """Takes note of runs that have ended, and returns them."""
        ended = []
        for run in list(self._running):
            code, status = run.process.poll(), run.status
            status.seconds = time.monotonic() - run.began
            if code is None:
                status.read_fraction()
                continue
            run.log.close()
            self._running.remove(run)
            ended.append(status)
            status.exit_code = code
            if code == 0 and (status.cell.folder / RESULTS).is_file():
                status.read_finished()
            else:
                status.state = "interrupted" if self.stopped_by else "failed"
                status.log_tail = state.read_tail(status.cell.log_file)
        return ended

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        names = (signal.SIGINT, signal.SIGTERM)
        before = {name: signal.signal(name, self._note) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        # Only noted here: a run may be half started at this moment.
        self.stopped_by = signal.Signals(number)
        self._signals_seen += 1

    def _pass_signals_on(self) -> None:
        for run in self._running:
            if self._signals_seen and not run.signals_sent:
                run.process.terminate()
            elif self._signals_seen > run.signals_sent:
                run.process.kill()
            run.signals_sent = self._signals_seen

    def _end_all(self) -> None:
        """Leaves no process behind when something here went wrong."""
        for run in self._running:
            run.process.terminate()
        for run in self._running:
            run.process.wait()
            run.log.close()
            run.status.state = "interrupted"
        self._running.clear()


def thread_limits(max_parallel: int) -> dict[str, str]:
    """Environment that gives each of several runs its share of the machine.

    Variables for TensorFlow, JAX and OpenMP; none for one run at a time, which
    may have all of the machine.
    """
    if max_parallel == 1:
        return {}
    threads = str(max(1, len(os.sched_getaffinity(0)) // max_parallel))
    names = (
        "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
        "NPROC",  # what XLA on a CPU, and so JAX, takes for the cores
    )  # fmt: skip
    return {
        **dict.fromkeys(names, threads),
        # Either takes a whole GPU at its start otherwise.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
