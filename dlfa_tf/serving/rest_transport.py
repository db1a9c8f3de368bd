"""How the client reaches a model server over REST; standard library only."""

import base64
import http.client
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.serving.errors import CODE_OF_STATUS
from dlfa_tf.serving.errors import ServerError
from dlfa_tf.serving.errors import error_of

_MESSAGE_CHARACTERS = 1000


class RestTransport:
    """One connection per thread, kept alive until `close`.

    Args:
        url: str, `http://HOST:PORT` or, behind a proxy with TLS,
            `https://HOST[:PORT][/PREFIX]`.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._host = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._kind: Any = (
            http.client.HTTPSConnection
            if parts.scheme == "https"
            else http.client.HTTPConnection
        )
        self._local = threading.local()
        self._open: list[Any] = []

    def predict(
        self,
        spec: Mapping[str, Any],
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, Any]:
        """Sends one Predict request; see `Client.predict`."""
        body = {
            "signature_name": spec.get("signature", ""),
            "inputs": {name: _jsonable(v) for name, v in inputs.items()},
        }
        answer = self._ask("POST", f"{_path(spec)}:predict", timeout, body)
        found = answer["outputs"]
        if not isinstance(found, dict):
            # The name of an only output is dropped; this one asks for it.
            (name,) = outputs or ("output",)
            return {name: found}
        return {k: v for k, v in found.items() if not outputs or k in outputs}

    def status(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[int, tuple[str, str]]:
        """State and error message of every version of a model."""
        answer = self._ask("GET", _path(spec), timeout)
        return {
            int(item["version"]): (
                item["state"],
                item.get("status", {}).get("error_message", ""),
            )
            for item in answer["model_version_status"]
        }

    def signatures(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Names of inputs and outputs of every signature."""
        answer = self._ask("GET", f"{_path(spec)}/metadata", timeout)
        found = answer["metadata"]["signature_def"]["signature_def"]
        return {
            name: (sorted(item["inputs"]), sorted(item["outputs"]))
            for name, item in found.items()
        }

    def close(self) -> None:
        """Closes the connections of all threads."""
        for connection in self._open:
            connection.close()

    def _ask(
        self, method: str, path: str, timeout: float, body: Any = None
    ) -> Any:
        status, content = self._exchange(
            method,
            self._prefix + path,
            None if body is None else json.dumps(body).encode(),
            timeout,
        )
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        said = answer.get("error") if isinstance(answer, dict) else None
        message = str(said or content.decode("utf-8", "replace"))
        if status == 200:
            raise ServerError("INTERNAL", f"no JSON: {message[:80]!r}")
        code = CODE_OF_STATUS.get(status, "INTERNAL")
        raise error_of(code, message[:_MESSAGE_CHARACTERS])

    def _exchange(
        self, method: str, path: str, body: bytes | None, timeout: float
    ) -> tuple[int, bytes]:
        """Sends a request; once more when a kept connection had gone."""
        end = time.monotonic() + timeout
        while True:
            connection: Any = getattr(self._local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self._kind(self._host, timeout=timeout)
                self._local.connection = connection
                self._open.append(connection)
            left = max(end - time.monotonic(), 1e-3)
            connection.timeout = left
            if connection.sock is not None:
                connection.sock.settimeout(left)
            try:
                connection.request(
                    method, path, body, {"Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                return answer.status, answer.read()
            except TimeoutError:
                self._forget(connection)
                raise ServerError(
                    "DEADLINE_EXCEEDED", f"no answer within {timeout:.3g} s"
                ) from None
            except (OSError, http.client.HTTPException) as error:
                self._forget(connection)
                if fresh or isinstance(error, socket.gaierror):
                    raise ServerError(
                        "UNAVAILABLE", f"{self._host}: {error}"
                    ) from None

    def _forget(self, connection: Any) -> None:
        connection.close()
        self._open.remove(connection)
        self._local.connection = None


def _path(spec: Mapping[str, Any]) -> str:
    path = f"/v1/models/{urllib.parse.quote(spec['name'], safe='')}"
    if spec.get("version") is not None:
        path += f"/versions/{spec['version']}"
    if spec.get("label"):
        path += f"/labels/{urllib.parse.quote(spec['label'], safe='')}"
    return path


def _jsonable(value: Any) -> Any:
    """Bytes as base64, which JSON cannot hold otherwise."""
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, str):
        return value
    raise TypeError(
        f"Inputs must be strings. Received: {value!r}, a "
        f"{type(value).__name__}. Accepted: str, or bytes of UTF-8."
    )
