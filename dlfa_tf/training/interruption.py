"""Being asked to stop: SIGTERM becomes a flag that is looked at in time."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

# EX_TEMPFAIL of sysexits.h, "try again": no exit code of the shell's own.
EXIT_CODE = 75


class TrainingInterrupted(Exception):
    """A run was asked to stop, saved what it had, and can be resumed.

    A program that ends by it ends with its `exit_code`.
    """

    exit_code = EXIT_CODE


class NonFiniteTraining(ArithmeticError):
    """Loss or gradient is NaN or infinite; the last checkpoint is not."""


class StopRequest:
    """Says whether SIGTERM has come; `asked` is for tests."""

    def __init__(self, asked: bool = False) -> None:
        self.asked = asked

    def check(self, message: str) -> None:
        """Raises TrainingInterrupted when the run was asked to stop.

        `message` says what has been saved.
        """
        if self.asked:
            raise TrainingInterrupted(
                f"Stopped by SIGTERM. {message} Start the same command again "
                "to go on (trainers.train with --resume)."
            )


@contextlib.contextmanager
def stop_on_sigterm() -> Iterator[StopRequest]:
    """Within this context SIGTERM only sets a flag.

    Where signals cannot be handled, in any thread but the first, SIGTERM does
    what it did before.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(*_: Any) -> None:
        request.asked = True

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, before)
