"""Which machines and devices a run works on, as the environment says."""

import dataclasses
import json
import os
from collections.abc import Mapping

import keras

from dlfa_tf import checks
from dlfa_tf.lazy import tf
from dlfa_tf.runs.engine_settings import STRATEGIES

_FORM = (
    '{"cluster": {"worker": ["host:port", "host:port"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cluster:
    """The workers of a run, as `host:port`, the chief first.

    `index` says which of them this process is.
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
    """Reads and checks TF_CONFIG; None where it is not set."""
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
    """Decides what `auto` is on this machine; refuses what cannot be.

    `multi_worker` where TF_CONFIG names several workers, else `mirrored` where
    there are several GPUs, else `one_device`. JAX takes one device only.
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"`strategy` is unknown. Received: {name!r}. Accepted: "
            f"{list(STRATEGIES)}." + checks.nearest_hint(name, STRATEGIES)
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
        gpus = tf.config.list_physical_devices("GPU")
    except ImportError:
        return "one_device"
    return "mirrored" if len(gpus) > 1 else "one_device"


def is_chief(name: str) -> bool:
    """Whether this process writes the files of a run under a strategy."""
    if name != "multi_worker":
        return True
    cluster = cluster_from_environment()
    return cluster is None or cluster.is_chief
