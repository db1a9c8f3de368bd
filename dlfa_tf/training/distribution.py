"""From the name of a strategy to a `tf.distribute` strategy.

Everything of this project that knows about several devices is here and in
`step_tensorflow.py`. Keras 3.15's own `fit` clips per replica and fails under
MultiWorkerMirroredStrategy (it reduces a nested batch, and a scalar along an
axis); training here needs neither.
"""

import contextlib
from typing import Any

from dlfa_tf.lazy import tf
from dlfa_tf.runs import workers
from dlfa_tf.training import rendezvous


def make_strategy(name: str, *, peer_timeout: float = 300.0) -> Any:
    """Creates the strategy (None for one device), one of `STRATEGIES` by name.

    For several workers this is the first use of TensorFlow. One that cannot be
    reached within `peer_timeout` seconds raises ConnectionError.
    """
    name = workers.resolve_strategy(name)
    if name == "one_device":
        return None
    if name == "multi_worker":
        cluster = workers.cluster_from_environment()
        if cluster is not None and len(cluster.addresses) > 1:
            # TensorFlow alone would wait for its peers without a word.
            rendezvous.meet_peers(
                cluster.addresses, cluster.index, peer_timeout
            )
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
    """Refuses a global batch that the replicas cannot share evenly."""
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

    `step` is the one that this worker's checkpoint says.
    """
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return

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

    That is the error to raise in its place, or None when it is something else.
    """
    if strategy is None:
        return None
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
