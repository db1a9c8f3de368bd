"""Tests of what the environment says of the machines of a run."""

import json

import pytest

from dlfa_tf.runs.workers import cluster_from_environment
from dlfa_tf.runs.workers import is_chief
from dlfa_tf.runs.workers import resolve_strategy

TWO = {
    "cluster": {"worker": ["a:1", "b:2"]},
    "task": {"type": "worker", "index": 1},
}


def config(**changes):
    return {"TF_CONFIG": json.dumps({**TWO, **changes})}


def test_no_cluster_without_tf_config():
    assert cluster_from_environment({}) is None


def test_workers_and_chief_are_counted_together():
    cluster = cluster_from_environment(config())
    assert (cluster.addresses, cluster.index) == (("a:1", "b:2"), 1)
    assert not cluster.is_chief
    jobs = {"chief": ["c:3"], "worker": ["a:1", "b:2"]}
    cluster = cluster_from_environment(config(cluster=jobs))
    assert (cluster.addresses, cluster.index) == (("c:3", "a:1", "b:2"), 2)
    task = {"type": "chief", "index": 0}
    assert cluster_from_environment(config(cluster=jobs, task=task)).is_chief


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TF_CONFIG": "{"}, "not of the accepted form"),
        ({"TF_CONFIG": "[]"}, "not of the accepted form"),
        ({"TF_CONFIG": '{"cluster": {}}'}, "accepted form.*'task'"),
        (config(task={"type": "worker", "index": "x"}), "accepted form"),
        (config(task={"type": "worker", "index": 2}), "no worker 2"),
        (config(task={"type": "chief", "index": 0}), "no chief 0"),
        (config(cluster={"worker": ["a:1", "b"]}), "without a port: 'b'"),
        (config(cluster={"worker": ["a:1", "a:1"]}), "twice"),
        (config(cluster={"ps": ["a:1"], "worker": ["b:2"]}), r"\['ps'\]"),
    ],
)
def test_wrong_tf_config_is_refused(environment, message):
    with pytest.raises(ValueError, match=message) as caught:
        cluster_from_environment(environment)
    assert environment["TF_CONFIG"] in str(caught.value)
    assert '"host:port"' in str(caught.value)


def test_auto_looks_at_the_machine(monkeypatch):
    import tensorflow as tf

    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert resolve_strategy("auto") == "one_device"
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda _: ["GPU:0", "GPU:1"]
    )
    assert resolve_strategy("auto") == "mirrored"
    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO))
    assert resolve_strategy("auto") == "multi_worker"
    assert resolve_strategy("mirrored") == "mirrored"
    assert not is_chief("multi_worker")
    assert is_chief("one_device")


def test_several_devices_are_refused_under_jax(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    assert resolve_strategy("auto") == "one_device"
    with pytest.raises(ValueError, match="under JAX.*one device.*'mirrored'"):
        resolve_strategy("mirrored")
