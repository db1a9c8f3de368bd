"""Tests of workers that look for each other."""

import contextlib
import socket
import threading
import time

import pytest

from dlfa_tf.training.rendezvous import meet_peers


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def addresses(count):
    return tuple(f"127.0.0.1:{port}" for port in free_ports(count))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_all_meet_although_one_comes_late(count):
    peers = addresses(count)
    met, failed = [], []

    def work(index):
        time.sleep(0.5 * (index == count - 1))
        try:
            meet_peers(peers, index, timeout=20.0)
            met.append(index)
        except ConnectionError as error:
            failed.append(error)

    threads = [
        threading.Thread(target=work, args=(index,)) for index in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(met) == list(range(count))
    # TensorFlow takes the port next.
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind(("127.0.0.1", int(peers[0].rpartition(":")[2])))


def test_missing_worker_is_named_in_time():
    peers = addresses(2)
    started = time.monotonic()
    with pytest.raises(ConnectionError, match=f"0.5 s. Missing: {peers[1]}"):
        meet_peers(peers, 0, timeout=0.5)
    assert time.monotonic() - started < 10


def test_stranger_on_the_port_is_no_worker():
    peers = addresses(2)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", int(peers[1].rpartition(":")[2])))
        stranger.listen()

        def answer():
            with contextlib.suppress(OSError):
                connection, _ = stranger.accept()
                connection.sendall(b"HTTP/1.1 400\r\n")
                connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ConnectionError, match="Missing"):
            meet_peers(peers, 0, timeout=0.5)


def test_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        own = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"{own}, cannot be used"):
            meet_peers((own, "127.0.0.1:9"), 0, timeout=1.0)
