"""Ways to ask an export, all with the same face.

`ask(signature, inputs)` takes nested lists of strings (or floats, to be
refused) and returns `{output: nested lists}` or a `Refusal`. Strings may hold
surrogates, which stand for bytes that are no UTF-8.
"""

import base64
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from dlfa_tf.serving.client.tensors import flat_of
from dlfa_tf.serving.client.tensors import shape_of
from dlfa_tf.serving.export.lint_rules import read_meta_graph
from dlfa_tf.serving.export.served_graph import own_signatures

HERE = pathlib.Path(__file__).parent
PACKAGES = pathlib.Path(tf.__file__).parents[1]
TIMEOUT = 300


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A request was answered by an error."""

    message: str


def to_bytes(text):
    return text.encode("utf-8", "surrogateescape")


class CApi:
    """A child process that runs the export through TensorFlow's C API."""

    def __init__(self, folder):
        self.signatures = own_signatures(read_meta_graph(folder))
        script = HERE / "c_api_session.py"
        self.process = subprocess.Popen(
            [sys.executable, script, PACKAGES, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def ask(self, signature, inputs):
        definition = self.signatures[signature]
        names = sorted(definition.outputs)
        request = {
            "inputs": {
                definition.inputs[key].name: [shape_of(value), flat_of(value)]
                for key, value in inputs.items()
            },
            "outputs": [definition.outputs[name].name for name in names],
        }
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        # A crash shows as a negative return code.
        assert line, (self.process.wait(), self.process.stderr.read()[-3000:])
        answer = json.loads(line)
        if "error" in answer:
            return Refusal(answer["error"])
        return {
            name: np.reshape(np.array(values, object), shape).tolist()
            for name, (shape, values) in zip(
                names, answer["outputs"], strict=True
            )
        }

    def close(self):
        self.process.stdin.close()
        code = self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        assert code == 0


class Grpc:
    """A model server over gRPC, by TensorFlow Serving's own messages."""

    def __init__(self, target, model):
        self.channel = grpc.insecure_channel(
            target, [("grpc.max_receive_message_length", -1)]
        )
        stub = prediction_service_pb2_grpc.PredictionServiceStub
        self.stub = stub(self.channel)
        self.model = model

    def ask(self, signature, inputs, seconds=TIMEOUT):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.model
        request.model_spec.signature_name = signature
        for key, value in inputs.items():
            flat = flat_of(value)
            is_text = not flat or isinstance(flat[0], str)
            request.inputs[key].CopyFrom(
                tf.make_tensor_proto(
                    [to_bytes(x) for x in flat] if is_text else flat,
                    tf.string if is_text else tf.float32,
                    shape_of(value),
                )
            )
        try:
            answer = self.stub.Predict(request, timeout=seconds)
        except grpc.RpcError as error:
            return Refusal(f"{error.code().name}: {error.details()}")
        return {
            name: _decoded(tf.make_ndarray(tensor).tolist())
            for name, tensor in answer.outputs.items()
        }

    def close(self):
        self.channel.close()


class Rest:
    """A model server over REST, by the standard library."""

    def __init__(self, url, model):
        self.url = f"{url}/v1/models/{model}:predict"

    def ask(self, signature, inputs):
        body = {
            "signature_name": signature,
            "inputs": {k: _for_json(v) for k, v in inputs.items()},
        }
        request = urllib.request.Request(
            self.url,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                outputs = json.loads(answer.read().decode("utf-8"))["outputs"]
        except urllib.error.HTTPError as error:
            return Refusal(f"{error.code}: {error.read().decode()}")
        if isinstance(outputs, dict):
            return outputs
        return {"embedding": outputs}

    def close(self):
        pass


def _decoded(value):
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _for_json(value):
    if isinstance(value, list):
        return [_for_json(item) for item in value]
    if isinstance(value, float):
        return value
    return {"b64": base64.b64encode(to_bytes(value)).decode()}
