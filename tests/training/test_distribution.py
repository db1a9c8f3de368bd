"""Tests of strategies; those that train run in processes of their own."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import types

import pytest

from dlfa_tf.training import rendezvous
from dlfa_tf.training.distribution import check_batch_size
from dlfa_tf.training.distribution import check_same_step
from dlfa_tf.training.distribution import lost_worker
from dlfa_tf.training.distribution import make_strategy

ROOT = pathlib.Path(__file__).parents[2]
TWO = {
    "cluster": {"worker": ["a:1", "b:2"]},
    "task": {"type": "worker", "index": 1},
}


def test_multi_worker_needs_addresses(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="no TF_CONFIG in the environment"):
        make_strategy("multi_worker")


def test_unknown_strategy_offers_the_nearest():
    with pytest.raises(ValueError, match="'miror'.*Did you mean 'mirrored'"):
        make_strategy("miror")


def test_one_device_is_no_strategy():
    assert make_strategy("one_device") is None
    check_same_step(None, 3)
    assert lost_worker(None, ValueError()) is None


def test_missing_worker_ends_the_wait(monkeypatch):
    seen = []

    def meet(addresses, index, timeout):
        seen.append((addresses, index, timeout))
        raise ConnectionError("b:2 is missing")

    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO))
    monkeypatch.setattr(rendezvous, "meet_peers", meet)
    with pytest.raises(ConnectionError, match="b:2 is missing"):
        make_strategy("multi_worker", peer_timeout=2.0)
    assert seen == [(("a:1", "b:2"), 1, 2.0)]


@pytest.mark.parametrize(
    ("size", "message"),
    [(33, "33 for 2 replicas.*such as 32 or 34"), (1, "such as 2")],
)
def test_batch_must_divide_by_the_replicas(size, message):
    strategy = types.SimpleNamespace(num_replicas_in_sync=2)
    with pytest.raises(ValueError, match=message):
        check_batch_size(size, strategy)
    check_batch_size(32, strategy)
    check_batch_size(size, None)


def start(folder, strategy, *more, tf_config=None):
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("TF_CONFIG", None)
    if tf_config:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    script = pathlib.Path(__file__).with_name("distribution_case.py")
    return subprocess.Popen(
        [sys.executable, str(script), strategy, str(folder), *more],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_two(folder, *more):
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        peers = [f"127.0.0.1:{s.getsockname()[1]}" for s in (a, b)]
    return [
        start(
            folder,
            "multi_worker",
            *more,
            tf_config={
                "cluster": {"worker": peers},
                "task": {"type": "worker", "index": index},
            },
        )
        for index in (0, 1)
    ]


def finish(process, code=0):
    output, _ = process.communicate(timeout=400)
    assert process.returncode == code, output[-3000:]


def outcome(folder, index=0):
    text = (folder / f"outcome-{index}.json").read_text(encoding="utf-8")
    return json.loads(text)


def check_equal(found, expected):
    """Losses and clipped steps of replicas and of one device.

    float32 sums in another order; the norm adds up some thousand squares,
    and after eight steps of Adam the weights are that far apart too.
    """
    assert len(expected["losses"]) == 8
    assert min(expected["norms"]) > 0.5, "no step was clipped"
    assert found["losses"] == pytest.approx(expected["losses"], abs=1e-5)
    assert found["norms"] == pytest.approx(expected["norms"], rel=1e-3)
    # The true gradient of a key's bias is 0: what moves it is rounding.
    assert found["weights"] == pytest.approx(
        expected["weights"], rel=1e-3, abs=1e-4
    )
    assert found["dev_score"] == expected["dev_score"]
    assert found["traces"] == expected["traces"] == 1


@pytest.mark.slow
def test_replicas_train_as_one_device_does(tmp_path):
    for name in ("one_device", "mirrored"):
        finish(start(tmp_path / name, name))
    expected = outcome(tmp_path / "one_device")
    mirrored = outcome(tmp_path / "mirrored")
    check_equal(mirrored, expected)
    for seeds in mirrored["seeds"]:
        assert seeds[0] != seeds[1]
    for process in start_two(tmp_path / "workers"):
        finish(process)
    workers = [outcome(tmp_path / "workers", index) for index in (0, 1)]
    for found in workers:
        check_equal(found, expected)
    assert workers[0]["seeds"] != workers[1]["seeds"]


@pytest.mark.slow
def test_batch_norm_statistics_are_shared(tmp_path):
    """Else the saved weights would hold those of the first replica alone."""
    for process in start_two(tmp_path / "workers", "norm=batch"):
        finish(process)
    one, other = (outcome(tmp_path / "workers", index) for index in (0, 1))
    assert one["weights"] == other["weights"]
    assert one["losses"] == other["losses"]


@pytest.mark.slow
def test_request_to_stop_reaches_all_workers(tmp_path):
    for process in start_two(tmp_path, "stop_at=3"):
        finish(process)
    for index in (0, 1):
        found = outcome(tmp_path, index)
        assert "Step 4 is saved" in found["interrupted"]
        assert len(found["losses"]) == 4
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == [
        "step-00000004.npz"
    ]
    for process in start_two(tmp_path):
        finish(process)
    assert len(outcome(tmp_path)["losses"]) == 4


@pytest.mark.slow
def test_lost_worker_ends_the_run_with_a_reason(tmp_path):
    chief, other = start_two(tmp_path, "die_at=3")
    finish(other, code=9)
    finish(chief)
    message = outcome(tmp_path)["lost"]
    assert "Another worker was lost" in message
    assert "task:1" in message
    assert "--resume" in message
