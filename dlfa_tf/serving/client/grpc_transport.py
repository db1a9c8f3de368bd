"""How the client reaches a model server over gRPC."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.serving.client import errors
from dlfa_tf.serving.client import tensors
from dlfa_tf.serving.client.errors import ServerError
from dlfa_tf.serving.client.messages import MESSAGES

_STATES = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING",
           50: "END"}  # fmt: skip
_OPTIONS = [
    # The default limit of 4 MiB is less than an answer may take.
    ("grpc.max_receive_message_length", -1),
    # While a server is gone the pauses between attempts to connect grow, by
    # default up to two minutes: for as long a new server is not seen.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
_PREDICTION = "tensorflow.serving.PredictionService"
_MODEL = "tensorflow.serving.ModelService"


class GrpcTransport:
    """One channel to `HOST:PORT` or `unix:PATH`, kept until `close`.

    Credentials are `grpc.ChannelCredentials`, for TLS. ImportError when the
    package grpcio is not installed.
    """

    def __init__(self, target: str, credentials: Any = None) -> None:
        try:
            import grpc
        except ImportError as error:
            raise ImportError(
                "Asking over gRPC needs the package `grpcio`. Install it, or "
                "give the server's REST address as http://HOST:PORT."
            ) from error
        self._grpc = grpc
        self._channel = (
            grpc.insecure_channel(target, _OPTIONS)
            if credentials is None
            else grpc.secure_channel(target, credentials, _OPTIONS)
        )
        self._calls: dict[str, Any] = {}

    def predict(
        self,
        spec: Mapping[str, Any],
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, Any]:
        """Sends one Predict request; see `Client.predict`."""
        request = MESSAGES["PredictRequest"](output_filter=outputs)
        _fill(request.model_spec, spec)
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tensors.string_tensor(value))
        answer = self._call(_PREDICTION, "Predict", request, timeout)
        return {k: tensors.from_tensor(v) for k, v in answer.outputs.items()}

    def status(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[int, tuple[str, str]]:
        """State and error message of every version of a model."""
        request = MESSAGES["GetModelStatusRequest"]()
        _fill(request.model_spec, spec)
        answer = self._call(_MODEL, "GetModelStatus", request, timeout)
        return {
            item.version: (
                _STATES.get(item.state, "UNKNOWN"),
                item.status.error_message,
            )
            for item in answer.model_version_status
        }

    def signatures(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Names of inputs and outputs of every signature."""
        request = MESSAGES["GetModelMetadataRequest"]()
        request.metadata_field.append("signature_def")
        _fill(request.model_spec, spec)
        answer = self._call(_PREDICTION, "GetModelMetadata", request, timeout)
        content = answer.metadata["signature_def"].value
        found = MESSAGES["SignatureDefMap"].FromString(content).signature_def
        return {
            name: (sorted(found[name].inputs), sorted(found[name].outputs))
            for name in found
        }

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _call(
        self, service: str, method: str, request: Any, timeout: float
    ) -> Any:
        if method not in self._calls:
            response = MESSAGES[f"{method}Response"]
            self._calls[method] = self._channel.unary_unary(
                f"/{service}/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=response.FromString,
            )
        try:
            return self._calls[method](request, timeout=timeout)
        except self._grpc.RpcError as error:
            raise errors.error_of(
                error.code().name, error.details() or ""
            ) from None
        except ValueError as error:
            # What grpc raises for a channel that was closed.
            raise ServerError("CANCELLED", str(error)) from None


def _fill(message: Any, spec: Mapping[str, Any]) -> None:
    message.name = spec["name"]
    if spec.get("version") is not None:
        message.version.value = spec["version"]
    if spec.get("label"):
        message.version_label = spec["label"]
    message.signature_name = spec.get("signature", "")
