"""How the client reaches a model server over REST; standard library only."""

import base64
import collections
import http.client
import json
import socket
import time
import urllib.parse
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.serving.client import answers
from dlfa_tf.serving.client import errors
from dlfa_tf.serving.client.errors import CODE_OF_STATUS
from dlfa_tf.serving.client.errors import CallerError
from dlfa_tf.serving.client.errors import ServerError
from dlfa_tf.serving.contract import DEFAULT_SIGNATURE

_MESSAGE_CHARACTERS = 1000


class RestTransport:
    """As many connections as calls at the same time, kept until `close`.

    ValueError when the URL is neither `http://HOST:PORT` nor, behind a proxy
    with TLS, `https://HOST[:PORT][/PREFIX]`.
    """

    def __init__(self, url: str) -> None:
        parts = _split(url)
        self._host = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._kind: Any = (
            http.client.HTTPSConnection
            if parts.scheme == "https"
            else http.client.HTTPConnection
        )
        # Threads take from and give back to it: a deque needs no lock.
        self._idle: collections.deque[Any] = collections.deque()

    def predict(
        self,
        spec: Mapping[str, Any],
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, Any]:
        """Sends one Predict request; see `Client.predict`."""
        end = time.monotonic() + timeout
        body = {
            "signature_name": spec.get("signature", ""),
            "inputs": {name: _jsonable(v) for name, v in inputs.items()},
        }
        answer = self._ask("POST", f"{_path(spec)}:predict", timeout, body)
        with answers.of_this_form(answer):
            found = answer["outputs"]
        if not isinstance(found, dict):
            # The server drops the name of an only output.
            asked = spec.get("signature") or DEFAULT_SIGNATURE
            left = end - time.monotonic()
            signatures = {} if outputs else self.signatures(spec, left)
            with answers.of_this_form(signatures):
                found = {(outputs or signatures[asked][1])[0]: found}
        return {k: v for k, v in found.items() if not outputs or k in outputs}

    def status(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[int, tuple[str, str]]:
        """State and error message of every version of a model."""
        answer = self._ask("GET", _path(spec), timeout)
        with answers.of_this_form(answer):
            return {
                int(item["version"]): (
                    str(item["state"]),
                    str(item.get("status", {}).get("error_message", "")),
                )
                for item in answer["model_version_status"]
            }

    def signatures(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Names of inputs and outputs of every signature."""
        answer = self._ask("GET", f"{_path(spec)}/metadata", timeout)
        with answers.of_this_form(answer):
            found = answer["metadata"]["signature_def"]["signature_def"]
            return {
                name: (sorted(item["inputs"]), sorted(item["outputs"]))
                for name, item in found.items()
            }

    def close(self) -> None:
        """Closes the connections that no call is using."""
        while self._idle:
            self._idle.pop().close()

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
        except (ValueError, RecursionError):
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        said = answer.get("error") if isinstance(answer, dict) else None
        message = str(said or content.decode("utf-8", "replace"))
        if status == 200:
            raise ServerError("INTERNAL", f"no JSON: {message[:80]!r}")
        code = CODE_OF_STATUS.get(status, "INTERNAL")
        raise errors.error_of(code, message[:_MESSAGE_CHARACTERS])

    def _exchange(
        self, method: str, path: str, body: bytes | None, timeout: float
    ) -> tuple[int, bytes]:
        """Sends a request; once more when a kept connection had gone."""
        end = time.monotonic() + timeout
        kept = self._take()
        while True:
            connection = kept or self._kind(self._host)
            left = max(end - time.monotonic(), 1e-3)
            connection.timeout = left
            if connection.sock is not None:
                connection.sock.settimeout(left)
            try:
                connection.request(
                    method, path, body, {"Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                found = answer.status, answer.read()
            except TimeoutError:
                connection.close()
                raise ServerError(
                    "DEADLINE_EXCEEDED", f"no answer within {timeout:.3g} s"
                ) from None
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if _is_no_http(error):
                    raise CallerError(
                        "UNIMPLEMENTED",
                        f"{self._host} does not answer in HTTP/1.1. Accepted "
                        "after http://: the port of --rest_api_port (8501), "
                        "not that of --port (8500), which is asked over gRPC "
                        "as HOST:PORT.",
                    ) from None
                if kept is None or isinstance(error, socket.gaierror):
                    raise ServerError(
                        "UNAVAILABLE", f"{self._host}: {error}"
                    ) from None
                kept = None
            else:
                self._idle.append(connection)
                return found

    def _take(self) -> Any:
        """A connection that no call is using, None when there is none."""
        try:
            return self._idle.pop()
        except IndexError:
            return None


def _split(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        # Reading the port raises when it is no number up to 65535.
        if parts.hostname and parts.port != 0 and "@" not in parts.netloc:
            return parts
    except ValueError:
        pass
    raise ValueError(
        "`server` must name a host and, if any, the number of a port. "
        f"Received: {url!r}. Accepted: http://HOST:PORT or "
        "https://HOST[:PORT][/PREFIX] for REST, HOST:PORT for gRPC."
    )


def _is_no_http(error: Exception) -> bool:
    """Whether the answer, such as that of a gRPC port, is of another protocol.

    An answer that was broken off is not.
    """
    return isinstance(error, http.client.BadStatusLine) and not isinstance(
        error, http.client.RemoteDisconnected
    )


def _path(spec: Mapping[str, Any]) -> str:
    path = f"/v1/models/{urllib.parse.quote(spec['name'], safe='')}"
    if spec.get("version") is not None:
        path += f"/versions/{spec['version']}"
    if spec.get("label"):
        path += f"/labels/{urllib.parse.quote(spec['label'], safe='')}"
    return path


def _jsonable(value: Any) -> Any:
    """Bytes as base64, which JSON cannot hold otherwise."""
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    return value
