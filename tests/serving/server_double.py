"""A double of tensorflow_model_server, built on tensorflow-serving-api.

It loads versions as they appear, plays their warm-up, keeps the old version
when the new one fails, and answers Predict, GetModelStatus, GetModelMetadata
and HandleReloadConfigRequest over gRPC and the first three over REST, with the
codes of the real server. It is no measure of speed, and Python checks shapes
before the graph sees them; what only the real session shows is tested over
the C API.
"""

import base64
import json
import pathlib
import re
import threading
import time
from concurrent import futures
from http import server as http_server

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from google.protobuf import text_format
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from dlfa_tf.serving.export.served_graph import ServedGraph
from dlfa_tf.serving.export.server_config import read_config
from dlfa_tf.serving.export.warmup import as_strings
from dlfa_tf.serving.export.warmup import read_warmup
from tests.serving.batching_double import Batcher
from tests.serving.batching_double import Failure

_STATUS = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "UNAVAILABLE": 503,
           "FAILED_PRECONDITION": 400, "DEADLINE_EXCEEDED": 504,
           "INTERNAL": 500, "RESOURCE_EXHAUSTED": 429}  # fmt: skip
_PATH = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/(\w+))?"
    r"(/metadata|:predict)?$"
)


class ServerDouble:
    """Serves models on 127.0.0.1; `stop` ends it.

    `faults` is a list of codes to answer the next requests with; `delay` is
    added to every request, in seconds; requests of more than `max_batch_size`
    examples are refused, as under batching. `tls` is a pair of PEM bytes, key
    and certificate, for gRPC. `batching` is the text of a batching file: then
    `batcher` joins requests. More gRPC calls at a time than `grpc_threads` are
    refused; `crashed` says that the real server would have aborted.
    """

    kind = "double"

    def __init__(
        self,
        config,
        poll_seconds=0.1,
        max_batch_size=None,
        tls=None,
        batching=None,
        grpc_threads=64,
    ):
        self.tls = tls
        self.crashed = False
        self.rest_seconds = 30.0
        self.grpc_threads = threading.Semaphore(grpc_threads)
        self.batcher = None
        if batching is not None:
            parameters = read_config(batching, "batching.config")
            self.batcher = Batcher(parameters, _run, self._crash)
        self.models = {}
        self.labels = {}
        self.states = {}
        self.faults = []
        self.delay = 0.0
        self.requests = 0
        self.max_batch_size = max_batch_size
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.configure(config)
        self.scan()
        self.poller = threading.Thread(target=self._poll, args=[poll_seconds])
        self.poller.start()
        self._serve()

    def _crash(self):
        self.crashed = True

    def _serve(self):
        # Calls are refused by a limit of our own, in the server's words.
        self.server = grpc.server(futures.ThreadPoolExecutor(128))
        service = _Service(self)
        for module, name in (
            (prediction_service_pb2_grpc, "PredictionService"),
            (model_service_pb2_grpc, "ModelService"),
        ):
            getattr(module, f"add_{name}Servicer_to_server")(
                service, self.server
            )
        if self.tls is None:
            port = self.server.add_insecure_port("127.0.0.1:0")
        else:
            port = self.server.add_secure_port(
                "127.0.0.1:0", grpc.ssl_server_credentials([self.tls])
            )
        self.server.start()
        self.grpc = f"127.0.0.1:{port}"
        handler = type("Handler", (_Handler,), {"double": self})
        self.http = http_server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.rest = f"http://127.0.0.1:{self.http.server_port}"
        self.http_thread = threading.Thread(target=self.http.serve_forever)
        self.http_thread.start()

    def stop(self):
        self.stopped.set()
        self.poller.join()
        self.server.stop(None).wait()
        self.http.shutdown()
        self.http.server_close()
        self.http_thread.join()
        if self.batcher is not None:
            self.batcher.stop()
        for versions in self.models.values():
            for graph in versions.values():
                graph.close()

    def configure(self, config):
        """Takes a `ModelServerConfig`, or its text."""
        if isinstance(config, str):
            text = config
            config = model_server_config_pb2.ModelServerConfig()
            text_format.Parse(text, config)
        with self.lock:
            self.bases = {
                item.name: pathlib.Path(item.base_path)
                for item in config.model_config_list.config
            }
            self.labels = {
                item.name: dict(item.version_labels)
                for item in config.model_config_list.config
            }

    def scan(self):
        """Loads the highest version of every model; ends the others."""
        with self.lock:
            bases = dict(self.bases)
        for name, base in bases.items():
            numbers = [
                int(path.name)
                for path in base.glob("*")
                if path.is_dir() and path.name.isdecimal()
            ]
            if not numbers or (name, max(numbers)) in self.states:
                continue
            self._load(name, max(numbers), base)

    def _load(self, name, version, base):
        self.states[name, version] = ("LOADING", "")
        try:
            graph = ServedGraph(base / str(version))
            try:
                warmup = read_warmup(base / str(version))
            except FileNotFoundError:
                warmup = []
            for signature, inputs in warmup:
                graph.run(signature, inputs)
        except Exception as error:
            self.states[name, version] = ("END", str(error))
            return
        with self.lock:
            old = self.models.get(name, {})
            self.models[name] = {version: graph}
            self.states[name, version] = ("AVAILABLE", "")
            for number in old:
                self.states[name, number] = ("END", "")

    def _poll(self, seconds):
        while not self.stopped.wait(seconds):
            self.scan()

    def find(self, name, version=None, label=None):
        with self.lock:
            versions = dict(self.models.get(name, {}))
            labels = self.labels.get(name, {})
        if name not in self.bases:
            raise Failure(
                "NOT_FOUND", f"Servable not found for request: Latest({name})"
            )
        if label:
            if label not in labels:
                raise Failure(
                    "INVALID_ARGUMENT",
                    f"Unrecognized servable version label: {label}",
                )
            version = labels[label]
        chosen = max(versions, default=0) if version is None else version
        if chosen not in versions:
            raise Failure(
                "NOT_FOUND",
                f"Servable not found for request: Specific({name}, {chosen})",
            )
        return chosen, versions[chosen]

    def predict(
        self,
        name,
        version,
        label,
        signature,
        inputs,
        outputs=(),
        seconds=None,
    ):
        self.requests += 1
        if self.crashed:
            raise Failure("UNAVAILABLE", "failed to connect to all addresses")
        if self.faults:
            raise Failure(self.faults.pop(0), "as the test wants it")
        time.sleep(self.delay)
        version, graph = self.find(name, version, label)
        signature = signature or "serving_default"
        if signature not in graph.signatures:
            raise Failure(
                "FAILED_PRECONDITION",
                f'Serving signature key "{signature}" not found.',
            )
        definition = graph.signatures[signature]
        if set(inputs) != set(definition.inputs):
            raise Failure(
                "INVALID_ARGUMENT",
                f"input size does not match signature: {sorted(inputs)}",
            )
        unknown = set(outputs) - set(definition.outputs)
        if unknown:
            raise Failure(
                "INVALID_ARGUMENT",
                f"output tensor alias not found in signature: {unknown}",
            )
        for key, value in inputs.items():
            wanted = definition.inputs[key].dtype
            if (value.dtype == object) != (wanted == types_pb2.DT_STRING):
                raise Failure(
                    "INVALID_ARGUMENT",
                    f"Expects arg[0] to be string but {value.dtype} is provided"
                    " (type and shape)",
                )
            if self.max_batch_size and len(value) > self.max_batch_size:
                raise Failure(
                    "INVALID_ARGUMENT",
                    f"Task size {len(value)} is larger than maximum input "
                    f"batch size {self.max_batch_size}",
                )
        key = (graph, signature, tuple(outputs))
        # A request for fewer outputs is of no signature that is batched.
        if self.batcher is not None and not outputs:
            return version, self.batcher.ask(key, inputs, seconds)
        return version, _run(key, inputs)

    def status(self, name, version=None):
        found = {
            number: state
            for (model, number), state in sorted(self.states.items())
            if model == name and version in (None, number)
        }
        if name not in self.bases or (version and not found):
            raise Failure("NOT_FOUND", f"Could not find versions of {name}")
        answer = get_model_status_pb2.GetModelStatusResponse()
        for number, (state, message) in reversed(found.items()):
            item = answer.model_version_status.add(version=number)
            item.state = item.State.Value(state)
            item.status.error_code = 2 if message else 0
            item.status.error_message = message
        return answer

    def metadata(self, name, version=None, label=None):
        version, graph = self.find(name, version, label)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name = name
        answer.model_spec.version.value = version
        found = get_model_metadata_pb2.SignatureDefMap()
        for key, value in graph.signatures.items():
            found.signature_def[key].CopyFrom(value)
        answer.metadata["signature_def"].Pack(found)
        return answer


def _run(key, inputs):
    graph, signature, outputs = key
    try:
        return graph.run(signature, inputs, outputs or None)
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        raise Failure("INVALID_ARGUMENT", str(error)[:2000]) from None


def _spec(spec):
    choice = spec.WhichOneof("version_choice")
    return (
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


class _Service(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    def __init__(self, double):
        self.double = double

    def _answer(self, context, call):
        if not self.double.grpc_threads.acquire(blocking=False):
            context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "Server Threadpool Exhausted",
            )
        try:
            return call()
        except Failure as failure:
            context.abort(grpc.StatusCode[failure.code], str(failure))
        finally:
            self.double.grpc_threads.release()

    def Predict(self, request, context):
        def call():
            spec = request.model_spec
            version, found = self.double.predict(
                *_spec(spec),
                spec.signature_name,
                {k: tf.make_ndarray(v) for k, v in request.inputs.items()},
                list(request.output_filter),
                context.time_remaining(),
            )
            answer = predict_pb2.PredictResponse()
            answer.model_spec.name = spec.name
            answer.model_spec.version.value = version
            for name, value in found.items():
                answer.outputs[name].CopyFrom(
                    tf.make_tensor_proto(value, shape=value.shape)
                )
            return answer

        return self._answer(context, call)

    def GetModelMetadata(self, request, context):
        spec = _spec(request.model_spec)
        return self._answer(context, lambda: self.double.metadata(*spec))

    def GetModelStatus(self, request, context):
        name, version, _ = _spec(request.model_spec)
        return self._answer(context, lambda: self.double.status(name, version))

    def HandleReloadConfigRequest(self, request, context):
        self.double.configure(request.config)
        self.double.scan()
        return model_management_pb2.ReloadConfigResponse()


class _Handler(http_server.BaseHTTPRequestHandler):
    double = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._respond(self._get)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self._respond(lambda: self._post(body))

    def _respond(self, call):
        try:
            status, answer = 200, call()
        except Failure as failure:
            status, answer = _STATUS[failure.code], {"error": str(failure)}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _parsed(self, *methods):
        match = _PATH.match(self.path)
        if not match or match[4] not in methods:
            raise Failure(
                "INVALID_ARGUMENT",
                f"Malformed request: {self.command} {self.path}",
            )
        return match[1], match[2] and int(match[2]), match[3], match[4]

    def _get(self):
        name, version, label, method = self._parsed(None, "/metadata")
        if method is None:
            return json_format.MessageToDict(
                self.double.status(name, version),
                preserving_proto_field_name=True,
            )
        return json_format.MessageToDict(
            self.double.metadata(name, version, label),
            preserving_proto_field_name=True,
        )

    def _post(self, body):
        name, version, label, _ = self._parsed(":predict")
        try:
            content = json.loads(body)
        except ValueError as error:
            raise Failure(
                "INVALID_ARGUMENT", f"JSON Parse error: {error}"
            ) from None
        keys = {"inputs", "instances"} & set(content)
        if len(keys) != 1:
            raise Failure(
                "INVALID_ARGUMENT", "JSON must have `inputs` or `instances`."
            )
        _, graph = self.double.find(name, version, label)
        signature = content.get("signature_name") or "serving_default"
        names = list(graph.signatures[signature].inputs)
        if "inputs" in content:
            inputs = content["inputs"]
            if not isinstance(inputs, dict) or "b64" in inputs:
                inputs = {names[0]: inputs}
        else:
            rows = content["instances"]
            if not isinstance(rows[0], dict) or "b64" in rows[0]:
                rows = [{names[0]: row} for row in rows]
            inputs = {key: [row[key] for row in rows] for key in rows[0]}
        arrays = {key: _array(value) for key, value in inputs.items()}
        _, found = self.double.predict(
            name,
            version,
            label,
            signature,
            arrays,
            seconds=self.double.rest_seconds,
        )
        lists = {key: _plain(value.tolist()) for key, value in found.items()}
        if "inputs" in content:
            only = next(iter(lists.values()))
            return {"outputs": lists if len(lists) > 1 else only}
        keys = list(lists)
        rows = list(zip(*lists.values(), strict=True))
        if len(keys) > 1:
            rows = [dict(zip(keys, row, strict=True)) for row in rows]
        else:
            rows = [row[0] for row in rows]
        return {"predictions": rows}


def _array(value):
    def decode(item):
        if isinstance(item, list):
            return [decode(x) for x in item]
        if isinstance(item, dict):
            return base64.b64decode(item["b64"])
        return item

    value = decode(value)
    flat = value
    while isinstance(flat, list) and flat:
        flat = flat[0]
    if isinstance(flat, float | int):
        return np.asarray(value, np.float32)
    try:
        return as_strings(value)
    except ValueError as error:
        raise Failure("INVALID_ARGUMENT", str(error)) from None


def _plain(value):
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.decode("utf-8") if isinstance(value, bytes) else value
