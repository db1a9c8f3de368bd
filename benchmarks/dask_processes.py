"""A Dask scheduler and workers as processes of this machine."""

import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

ROOT = pathlib.Path(__file__).parents[1]
_SECONDS = 120


class DaskProcesses:
    """Starts processes with one thread each; `stop` kills them.

    Their output goes to files in `folder`. `host` is the address of this
    machine that the scheduler listens on, `address` what workers are told.
    """

    def __init__(self, folder: pathlib.Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        told = folder / "scheduler.json"
        self._start("scheduler", "--host", host, "--port", "0",
                    "--scheduler-file", str(told))  # fmt: skip
        wait_until(told.exists)
        with self.client(scheduler_file=str(told)) as client:
            self.address = client.scheduler.address

    def client(self, **options: Any) -> Any:
        """A client of the scheduler."""
        import distributed

        return distributed.Client(
            **(options or {"address": self.address}), timeout=_SECONDS
        )

    def worker(self, name: str, prefix: Sequence[str] = ()) -> subprocess.Popen:
        """Starts a worker; `prefix` begins its command line."""
        return self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--name",
            name, prefix=prefix,
        )  # fmt: skip

    def workers(self, count: int) -> list[subprocess.Popen]:
        """Starts workers and waits for them."""
        started = [self.worker(f"worker-{i}") for i in range(count)]
        with self.client() as client:
            client.wait_for_workers(count, timeout=_SECONDS)
        return started

    def known(self) -> dict[str, str]:
        """From the names of the workers to their hosts."""
        with self.client() as client:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            return {worker["name"]: worker["host"] for worker in workers}

    def stop(self) -> None:
        """Kills what was started."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def _start(
        self, program: str, *arguments: str, prefix: Sequence[str] = ()
    ) -> subprocess.Popen:
        command = [*prefix, sys.executable, "-m",
                   f"distributed.cli.dask_{program}", *arguments,
                   "--no-dashboard"]  # fmt: skip
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        with (self.folder / f"{len(self.processes)}.log").open("w") as log:
            self.processes.append(
                subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    env={
                        **os.environ,
                        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                        "TF_NUM_INTRAOP_THREADS": "1",
                        "TF_NUM_INTEROP_THREADS": "1",
                    },
                )
            )
        return self.processes[-1]


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Waits for something to be true; TimeoutError when it never is."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"It took more than {seconds} seconds.")
        time.sleep(0.02)
