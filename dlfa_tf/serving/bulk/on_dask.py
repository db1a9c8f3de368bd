"""Labels parts on the workers of a Dask cluster.

The scheduler hands a part to a worker that is free, to another one when that
is lost, and to workers that join later. Every worker process loads the export
once.
"""

import uuid
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

try:
    import distributed
except ImportError as error:
    raise ImportError(
        "A cluster needs the package `distributed`, here and on its workers. "
        'Run: pip install "dlfa-tf[cluster]"'
    ) from error

from dlfa_tf.serving.bulk.part_labeller import PartLabeller
from dlfa_tf.serving.bulk.part_labeller import Work
from dlfa_tf.serving.bulk.parts import Part

_CONNECT_SECONDS = 30


class _Labeller(distributed.WorkerPlugin):
    """Keeps the labeller of some work in a worker while the work lasts."""

    def __init__(self, work: Work) -> None:
        self.labeller = PartLabeller(work)

    def teardown(self, worker: Any) -> None:
        """Gives the memory back; the worker goes on to other work."""
        del worker
        self.labeller.close()


def label_parts(
    address: str, work: Work, parts: Sequence[Part]
) -> Iterator[int]:
    """Yields the number of lines of every part when it is written.

    `address` is that of the scheduler, such as `tcp://HOST:8786`. OSError when
    nobody answers there; the error of a part ends the others.
    """
    name = f"dlfa_tf-{uuid.uuid4().hex}"
    with distributed.Client(address, timeout=_CONNECT_SECONDS) as client:
        client.register_plugin(_Labeller(work), name=name)
        futures = client.map(
            _label, parts, plugin=name, key=f"label-{uuid.uuid4().hex}"
        )
        try:
            for future in distributed.as_completed(futures):
                yield future.result()
        except distributed.KilledWorker as error:
            raise ConnectionError(
                f"A part was given up after several workers were lost with it "
                f"({error}). Accepted: workers with memory for the export; "
                "started again, the run goes on where it was."
            ) from error
        finally:
            client.cancel(futures)
            client.unregister_worker_plugin(name)


def _label(part: Part, plugin: str) -> int:
    return distributed.get_worker().plugins[plugin].labeller.label(part)
