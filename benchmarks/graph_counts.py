"""How many ops an export has, and how many of them one request executes."""

import os
import pathlib
from collections.abc import Mapping

import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.serving.export import lint_rules
from dlfa_tf.serving.export import served_graph


def loop_body_nodes(folder: str | os.PathLike[str]) -> int:
    """Nodes of the loop over rows, the largest of all signatures."""
    graph = lint_rules.read_meta_graph(pathlib.Path(folder)).graph_def
    return max(
        len(function.node_def)
        for function in graph.library.function
        if "_body_" in function.signature.name
    )


def executed_ops(
    folder: str | os.PathLike[str],
    signature: str,
    inputs: Mapping[str, np.ndarray],
) -> int:
    """Ops that a session with the server's settings executes for a request."""
    v1 = tf.compat.v1
    with v1.Session(graph=tf.Graph()) as session:
        meta_graph = v1.saved_model.load(session, ["serve"], os.fspath(folder))
        definition = served_graph.own_signatures(meta_graph)[signature]
        metadata = v1.RunMetadata()
        session.run(
            {key: info.name for key, info in definition.outputs.items()},
            {definition.inputs[key].name: inputs[key] for key in inputs},
            options=v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE),
            run_metadata=metadata,
        )
    devices = metadata.step_stats.dev_stats
    return sum(len(device.node_stats) for device in devices)
