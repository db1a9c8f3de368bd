"""How many ops an export has, and how many of them one request executes."""

import tensorflow as tf

from dlfa_tf.serving.export.lint_rules import read_meta_graph
from dlfa_tf.serving.export.served_graph import own_signatures


def loop_body_nodes(folder):
    """Nodes of the loop over rows, the largest of all signatures."""
    functions = read_meta_graph(folder).graph_def.library.function
    return max(
        len(function.node_def)
        for function in functions
        if "_body_" in function.signature.name
    )


def executed_ops(folder, signature, inputs):
    """Ops that a session with the server's settings executes for a request."""
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loader = tf.compat.v1.saved_model.load
        definition = own_signatures(loader(session, ["serve"], str(folder)))[
            signature
        ]
        metadata = tf.compat.v1.RunMetadata()
        session.run(
            {key: info.name for key, info in definition.outputs.items()},
            {definition.inputs[key].name: inputs[key] for key in inputs},
            options=tf.compat.v1.RunOptions(
                trace_level=tf.compat.v1.RunOptions.FULL_TRACE
            ),
            run_metadata=metadata,
        )
    devices = metadata.step_stats.dev_stats
    return sum(len(device.node_stats) for device in devices)
