"""Workers find each other before TensorFlow starts, or say who is missing."""

import contextlib
import socket
import threading
import time

_GREETING = b"dlfa_tf worker %d\n"
_RETRY_SECONDS = 0.2


def meet_peers(addresses: tuple[str, ...], index: int, timeout: float) -> None:
    """Returns as soon as every worker has reached every other one.

    Each worker listens on its own port, which TensorFlow takes afterwards, and
    calls all others. `addresses` are `host:port`, `index` is this process,
    `timeout` in seconds. ConnectionError says that the own port is taken, or
    names all workers that are missing.
    """
    deadline = time.monotonic() + timeout
    others = [i for i in range(len(addresses)) if i != index]
    callers: set[int] = set()
    with _listening(addresses[index]) as listener:
        done = threading.Event()
        thread = threading.Thread(
            target=_answer, args=(listener, index, callers, done), daemon=True
        )
        thread.start()
        reached: set[int] = set()
        try:
            while len(reached) < len(others) or len(callers) < len(others):
                for peer in others:
                    if peer not in reached and _call(
                        addresses[peer], index, peer
                    ):
                        reached.add(peer)
                if time.monotonic() > deadline:
                    missing = [
                        addresses[i]
                        for i in others
                        if i not in reached or i not in callers
                    ]
                    raise ConnectionError(
                        f"Workers did not answer in {timeout:g} s. Missing: "
                        f"{', '.join(missing)}. This is worker {index}, "
                        f"{addresses[index]}. Accepted: all workers of "
                        "TF_CONFIG started within that time, with ports that "
                        "the others can reach."
                    )
                time.sleep(_RETRY_SECONDS)
        finally:
            done.set()
            thread.join()


@contextlib.contextmanager
def _listening(address: str):  # type: ignore[no-untyped-def]
    port = int(address.rpartition(":")[2])
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            # All interfaces, as TensorFlow's server: the address in TF_CONFIG
            # may be a service's, which is none of this machine's own.
            listener.bind(("", port))
        except OSError as error:
            raise ConnectionError(
                f"The port of this worker, {address}, cannot be used: {error}."
            ) from error
        listener.listen()
        listener.settimeout(_RETRY_SECONDS)
        yield listener


def _answer(
    listener: socket.socket,
    index: int,
    callers: set[int],
    done: threading.Event,
) -> None:
    """Takes calls of other workers until told to stop."""
    while not done.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            continue
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(2.0)
            words = connection.makefile("rb").readline().split()
            if words[:2] == _GREETING.split()[:2]:
                connection.sendall(_GREETING % index)
                callers.add(int(words[2]))


def _call(address: str, index: int, peer: int) -> bool:
    """Whether the worker at an address answers, and is the expected one."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2.0) as call:
            call.sendall(_GREETING % index)
            return call.makefile("rb").readline() == _GREETING % peer
    except OSError:
        return False
