"""Tests of bulk inference on worker processes of a Dask cluster."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import pytest

pytest.importorskip(
    "distributed",
    reason="the extra `cluster` is not installed: `make test-cluster`",
)

from benchmarks.dask_processes import DaskProcesses
from benchmarks.dask_processes import wait_until
from dlfa_tf.serving.bulk import label_files
from dlfa_tf.serving.bulk.output_folder import PLAN

# Every test waits for worker processes that import TensorFlow.
pytestmark = pytest.mark.slow
ROOT = pathlib.Path(__file__).parents[3]
# Parts that take a moment each, so that all workers have some.
LINES = [f"Line {i} " + "wörd " * (i % 50) for i in range(6_000)]
PART_BYTES = 20_000


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "a.txt").write_text("\n".join(LINES[:2000]), encoding="utf-8")
    (folder / "b.txt").write_text("\n".join(LINES[2000:]), encoding="utf-8")
    return folder


def parts_of(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.glob("part-*"))}


@pytest.fixture(scope="module")
def expected(texts, toy_tagger, tmp_path_factory):
    """What one process writes."""
    folder = tmp_path_factory.mktemp("alone") / "out"
    label_files(
        str(texts / "*.txt"), str(folder), str(toy_tagger),
        part_bytes=PART_BYTES,
    )  # fmt: skip
    found = parts_of(folder)
    assert len(found) > 40
    assert b"".join(found.values()).count(b"\n") == len(LINES)
    return found


@pytest.fixture
def cluster(tmp_path):
    cluster = DaskProcesses(tmp_path)
    yield cluster
    cluster.stop()


def run(cluster, texts, export, output):
    return label_files(
        str(texts / "*.txt"), str(output), str(export),
        runner=cluster.address, part_bytes=PART_BYTES,
    )  # fmt: skip


@contextlib.contextmanager
def meanwhile(cluster, texts, export, output):
    """Runs the work in a process of its own; waits for it in the end."""
    program = (
        "from dlfa_tf.serving.bulk import label_files\n"
        f"done = label_files({str(texts / '*.txt')!r}, {str(output)!r}, "
        f"{str(export)!r}, runner={cluster.address!r}, "
        f"part_bytes={PART_BYTES})\n"
        "print(done.lines, done.bad)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert said.split() == [str(len(LINES)), "0"]
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("count", [2, 4])
def test_workers_write_what_one_process_does(
    cluster, texts, toy_tagger, tmp_path, expected, count
):
    cluster.workers(count)
    output = tmp_path / "out"
    done = run(cluster, texts, toy_tagger, output)
    assert (done.lines, done.bad) == (len(LINES), 0)
    assert parts_of(output) == expected
    left = {path.name for path in output.iterdir()} - set(expected)
    assert left == {PLAN}


def test_lost_worker_and_late_one_change_nothing(
    cluster, texts, toy_tagger, tmp_path, expected
):
    first, second = cluster.workers(2)
    output = tmp_path / "out"
    with meanwhile(cluster, texts, toy_tagger, output):
        wait_until(lambda: len(parts_of(output)) > 3)
        first.send_signal(signal.SIGKILL)
        assert len(parts_of(output)) < len(expected)
        cluster.worker("late")
        # The lost one is noticed, and the late one is there.
        wait_until(lambda: set(cluster.known()) == {"worker-1", "late"})
        if len(parts_of(output)) < len(expected) - 8:
            second.send_signal(signal.SIGKILL)
    assert parts_of(output) == expected
    # What the lost workers had not completed is of no harm, and goes.
    again = run(cluster, texts, toy_tagger, output)
    assert (again.lines, again.kept) == (0, len(expected))
    left = {path.name for path in output.iterdir()} - set(expected)
    assert left == {PLAN}


def test_bad_line_stops_strict_work(cluster, toy_classifier, tmp_path):
    cluster.workers(1)
    path = tmp_path / "pairs.txt"
    path.write_text("a\tb\nalone\n")
    with pytest.raises(ValueError, match="byte 4: expected two texts"):
        label_files(
            str(path), str(tmp_path / "out"), str(toy_classifier),
            strict=True, runner=cluster.address,
        )  # fmt: skip
    # The cluster is as before.
    done = label_files(
        str(path), str(tmp_path / "out"), str(toy_classifier),
        runner=cluster.address,
    )  # fmt: skip
    assert (done.lines, done.bad) == (2, 1)


def test_nobody_at_the_address_is_said(
    texts, toy_tagger, tmp_path, monkeypatch
):
    monkeypatch.setattr("dlfa_tf.serving.bulk.on_dask._CONNECT_SECONDS", 1)
    with pytest.raises(OSError, match="tcp://127.0.0.1:1"):
        label_files(
            str(texts / "*.txt"), str(tmp_path / "out"), str(toy_tagger),
            runner="tcp://127.0.0.1:1",
        )  # fmt: skip


@pytest.fixture
def other_host():
    """Prefix of commands in a network namespace, and this host's address."""
    name, inside, outside = "dlfahost", "10.213.7.2", "10.213.7.1"
    commands = f"""
        ip netns add {name}
        ip link add dlfaveth0 type veth peer name dlfaveth1
        ip link set dlfaveth1 netns {name}
        ip addr add {outside}/24 dev dlfaveth0
        ip link set dlfaveth0 up
        ip netns exec {name} ip addr add {inside}/24 dev dlfaveth1
        ip netns exec {name} ip link set dlfaveth1 up
        ip netns exec {name} ip link set lo up
    """
    try:
        for command in commands.strip().splitlines():
            done = subprocess.run(command.split(), capture_output=True)
            if done.returncode:
                pytest.skip(f"no network namespace: {done.stderr.decode()}")
        yield ["ip", "netns", "exec", name], outside
    finally:
        subprocess.run(["ip", "link", "del", "dlfaveth0"], capture_output=True)
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def test_worker_on_another_host_takes_part(
    other_host, texts, toy_tagger, tmp_path, expected
):
    """A host as far as the network goes: it shares the disk."""
    prefix, address = other_host
    cluster = DaskProcesses(tmp_path, host=address)
    try:
        cluster.worker("here")
        cluster.worker("there", prefix=prefix)
        wait_until(lambda: len(cluster.known()) == 2)
        hosts = cluster.known()
        assert hosts["there"] != hosts["here"]
        output = tmp_path / "out"
        run(cluster, texts, toy_tagger, output)
        assert parts_of(output) == expected
    finally:
        cluster.stop()
