"""From the name of a strategy to a `tf.distribute` strategy.

Everything of this project that knows about several devices is here and in
`step_tensorflow.py`. Keras 3.15's own `fit` clips per replica and fails under
MultiWorkerMirroredStrategy (it reduces a nested batch, and a scalar along an
axis); training here needs neither.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import keras

from dlfa_tf.data.tasks import nearest_hint
from dlfa_tf.preprocessing.tensorflow_import import require_tensorflow
from dlfa_tf.training.config import STRATEGIES
from dlfa_tf.training.rendezvous import meet_peers

_FORM = (
    '{"cluster": {"worker": ["host:port", "host:port"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cluster:
    """The workers of a run.

    Attributes:
        addresses: `host:port` of every worker, the chief first.
        index: int, which of them this process is.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files of the run."""
        return self.index == 0


def cluster_from_environment(
    environment: Mapping[str, str] = os.environ,
) -> Cluster | None:
    """Reads and checks TF_CONFIG.

    Args:
        environment: environment variables. Defaults to the process'.

    Returns:
        `Cluster`, or None where TF_CONFIG is not set.

    Raises:
        ValueError: when TF_CONFIG does not describe workers and one of them.
    """
    text = environment.get("TF_CONFIG")
    if not text:
        return None

    def refuse(what: str) -> ValueError:
        return ValueError(
            f"TF_CONFIG {what}. Received: {text!r}. Accepted: {_FORM}."
        )

    try:
        content = json.loads(text)
        jobs, task = dict(content["cluster"]), content["task"]
        kind, index = task["type"], int(task["index"])
    except (ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise refuse(f"is not of the accepted form ({problem})") from error
    unknown = sorted(set(jobs) - {"chief", "worker"})
    if unknown:
        raise refuse(f"has jobs other than chief and worker: {unknown}")
    addresses = [*jobs.get("chief", []), *jobs.get("worker", [])]
    for address in addresses:
        _, _, port = str(address).rpartition(":")
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise refuse(f"has an address without a port: {address!r}")
    if len(set(addresses)) != len(addresses):
        raise refuse("names an address twice")
    if kind not in jobs or not 0 <= index < len(jobs[kind]):
        raise refuse(f"has no {kind} {index} in its cluster")
    before = len(jobs.get("chief", [])) if kind == "worker" else 0
    return Cluster(addresses=tuple(addresses), index=before + index)


def resolve_strategy(name: str) -> str:
    """Decides what `auto` is on this machine.

    Args:
        name: str, one of `STRATEGIES`.

    Returns:
        `multi_worker` where TF_CONFIG names several workers, else `mirrored`
        where there are several GPUs, else `one_device`.

    Raises:
        ValueError: for an unknown name, a wrong TF_CONFIG, or several devices
            under JAX.
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"`strategy` is unknown. Received: {name!r}. Accepted: "
            f"{list(STRATEGIES)}." + nearest_hint(name, STRATEGIES)
        )
    if keras.backend.backend() == "jax":
        if name not in ("auto", "one_device"):
            raise ValueError(
                "A run under JAX works on one device. Received: strategy="
                f"{name!r}. Accepted: one_device, auto."
            )
        return "one_device"
    cluster = cluster_from_environment() if name != "one_device" else None
    if name == "multi_worker" and cluster is None:
        raise ValueError(
            "`strategy=multi_worker` needs the workers' addresses. Received: "
            f"no TF_CONFIG in the environment. Accepted: TF_CONFIG={_FORM}."
        )
    if name != "auto":
        return name
    if cluster is not None and len(cluster.addresses) > 1:
        return "multi_worker"
    try:
        tf = require_tensorflow("strategy")
    except ImportError:
        return "one_device"
    gpus = tf.config.list_physical_devices("GPU")
    return "mirrored" if len(gpus) > 1 else "one_device"


def is_chief(name: str) -> bool:
    """Whether this process writes the files of a run under a strategy."""
    if name != "multi_worker":
        return True
    cluster = cluster_from_environment()
    return cluster is None or cluster.is_chief


def make_strategy(name: str, *, peer_timeout: float = 300.0) -> Any:
    """Creates the strategy; for several workers, the first use of TensorFlow.

    Args:
        name: str, one of `STRATEGIES`.
        peer_timeout: float, seconds to wait for the other workers.

    Returns:
        A `tf.distribute` strategy, or None for one device.

    Raises:
        ValueError: for an unknown name or a wrong TF_CONFIG.
        ConnectionError: when a worker cannot be reached in time.
    """
    name = resolve_strategy(name)
    if name == "one_device":
        return None
    tf = require_tensorflow(f"strategy={name}")
    if name == "multi_worker":
        cluster = cluster_from_environment()
        if cluster is not None and len(cluster.addresses) > 1:
            # TensorFlow alone would wait for its peers without a word.
            meet_peers(cluster.addresses, cluster.index, peer_timeout)
        return tf.distribute.MultiWorkerMirroredStrategy()
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        return tf.distribute.MirroredStrategy([d.name for d in gpus])
    cpus = tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy(
        [d.name for d in cpus],
        # The default's collectives have failed between CPU devices.
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def scope_of(strategy: Any) -> contextlib.AbstractContextManager:
    """Context in which models and optimizers of a strategy are created."""
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def check_batch_size(batch_size: int, strategy: Any) -> None:
    """Refuses a global batch that the replicas cannot share evenly.

    Raises:
        ValueError: when it is not a multiple of their number.
    """
    replicas = 1 if strategy is None else strategy.num_replicas_in_sync
    if batch_size % replicas:
        below = batch_size // replicas * replicas
        near = [n for n in (below, below + replicas) if n]
        raise ValueError(
            "`batch_size` is the size over all replicas and must divide "
            f"evenly. Received: {batch_size} for {replicas} replicas. "
            f"Accepted: multiples of {replicas}, such as "
            f"{' or '.join(map(str, near))}."
        )


def check_same_step(strategy: Any, step: int) -> None:
    """Refuses workers that would go on from different steps.

    Args:
        strategy: `tf.distribute` strategy or None.
        step: int, steps taken, as this worker's checkpoint says.

    Raises:
        ValueError: when another worker's checkpoint says otherwise.
    """
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return
    tf = require_tensorflow("check_same_step")

    @tf.function
    def sums() -> Any:
        def replica(value: Any) -> Any:
            context = tf.distribute.get_replica_context()
            # A reduction needs values that lie on the replica's device.
            value = tf.identity(value)
            return context.all_reduce("SUM", [value, value * value])

        results = strategy.run(replica, args=(tf.constant(step, tf.int64),))
        return [strategy.experimental_local_results(x)[0] for x in results]

    total, squares = (int(x) for x in sums())
    if strategy.num_replicas_in_sync * squares != total * total:
        raise ValueError(
            "The workers would go on from different steps. Received: step "
            f"{step} on this one. Accepted: an `output_dir` on storage that "
            "all workers share."
        )


def lost_worker(strategy: Any, error: Exception) -> ConnectionError | None:
    """What an error of a step means when there are other workers.

    Args:
        strategy: `tf.distribute` strategy or None.
        error: what the step raised.

    Returns:
        The error to raise in its place, or None when it is something else.
    """
    if strategy is None:
        return None
    tf = require_tensorflow("lost_worker")
    if not isinstance(
        strategy, tf.distribute.MultiWorkerMirroredStrategy
    ) or not isinstance(error, tf.errors.OpError):
        return None
    lines = str(error).splitlines()
    # The first line is often just "Graph execution error:".
    detail = next((line for line in lines if "task" in line), lines[0])
    return ConnectionError(
        f"Another worker was lost ({detail}). Start all workers again with "
        "--resume to go on from the last checkpoint."
    )
