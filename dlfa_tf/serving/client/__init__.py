"""Asks a model server; needs neither TensorFlow nor Keras nor NumPy.

client: `Client`.
arguments: what callers hand over, or refused.
errors: errors by whose fault they are.
retries: asks again what a server did not answer.
answers: what a server answers, or its error.
no_examples: the answer to a request without examples.
grpc_transport, rest_transport: a server over the network.
graph_transport: an export in this process.
messages, tensors: the protocol buffers of TensorFlow Serving.
"""

from dlfa_tf.serving.client.client import Classification
from dlfa_tf.serving.client.client import Client
from dlfa_tf.serving.client.client import TaggedWord

__all__ = ["Classification", "Client", "TaggedWord"]
