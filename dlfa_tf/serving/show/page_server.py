"""Serves a page on this machine, and to it alone.

A page of any other site can make a browser send requests here. They are told
apart by `Host` (a name that was bound anew to 127.0.0.1 stays in it), by
`Origin`, and by the type of a body, which a form cannot set.
"""

import http
import http.server
import importlib.resources
import json
import logging
import threading
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.serving.client.errors import ServingError
from dlfa_tf.serving.show.answers import Answerer

HOST = "127.0.0.1"
# Bytes of a request: more than any model reads of a text.
MAX_BYTES = 65_536
MAX_TEXTS = 2
# Requests that wait for the one that is being answered.
_MAX_WAITING = 8
_TIMEOUT_SECONDS = 10.0
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_JSON = "application/json"
_HEADERS = {
    # Scripts and styles are files of this server; texts never become HTML.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LOGGER = logging.getLogger(__name__)


class PageServer(http.server.ThreadingHTTPServer):
    """The page of one model or two, at `url` once `serve_forever` runs.

    Args:
        answerers: one `Answerer`, or two of a kind to compare.
        port: int, 0 for any that is free.
        examples: pairs of a language's code and texts, offered to be tried.

    Raises:
        ValueError: for no model, more than two, or two of different kinds.
        OSError: when the port is taken.
    """

    daemon_threads = True

    def __init__(
        self,
        answerers: Sequence[Answerer],
        port: int = 0,
        examples: Sequence[tuple[str, Sequence[str]]] = (),
    ) -> None:
        kinds = [answerer.about["kind"] for answerer in answerers]
        if not 1 <= len(kinds) <= 2 or len(set(kinds)) > 1:
            raise ValueError(
                "The page shows one model, or two of the same kind. Received: "
                f"{kinds}. Accepted: taggers, classifiers of pairs, or of "
                "single texts."
            )
        super().__init__((HOST, port), _Handler)
        port = self.server_address[1]
        self.url = f"http://{HOST}:{port}/"
        self.hosts = {f"{name}:{port}" for name in (HOST, "localhost")}
        if port == 80:
            self.hosts |= {HOST, "localhost"}
        self.about = {
            "models": [dict(answerer.about) for answerer in answerers],
            "examples": [[code, list(texts)] for code, texts in examples],
        }
        self._answerers = list(answerers)
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_MAX_WAITING + 1)

    def answers(self, texts: Sequence[str]) -> list[dict[str, Any]] | None:
        """Answers of all models, one request at a time; None when busy."""
        if not self._places.acquire(blocking=False):
            return None
        try:
            with self._lock:
                return [a.answer(texts) for a in self._answerers]
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Notes what went wrong with a connection; the standard prints it."""
        _LOGGER.debug("%s was cut off", client_address, exc_info=True)


class _Refused(Exception):
    """A request that gets an error instead of an answer."""

    def __init__(self, status: http.HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: PageServer
    server_version = "dlfa_tf"
    sys_version = ""
    timeout = _TIMEOUT_SECONDS

    def do_GET(self) -> None:
        try:
            self._check_sender()
            if self.path == "/about":
                self._send_json(self.server.about)
            elif self.path in _FILES:
                name, kind = _FILES[self.path]
                folder = importlib.resources.files(__package__) / "page"
                self._send((folder / name).read_bytes(), kind)
            else:
                raise _Refused(http.HTTPStatus.NOT_FOUND, "No such page.")
        except _Refused as error:
            self.send_error(error.status, str(error))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        try:
            self._check_sender()
            if self.path != "/answer":
                raise _Refused(http.HTTPStatus.NOT_FOUND, "No such page.")
            self._send_json({"answers": self._answers(self._read_texts())})
        except _Refused as error:
            self.send_error(error.status, str(error))

    def _check_sender(self) -> None:
        """Refuses what another site made a browser send."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        if (
            host not in self.server.hosts
            or origin not in (None, f"http://{host}")
            or site not in ("same-origin", "none")
        ):
            raise _Refused(
                http.HTTPStatus.FORBIDDEN,
                f"Only {self.server.url} itself is answered.",
            )

    def _read_texts(self) -> list[str]:
        if self.headers.get_content_type() != _JSON:
            raise _Refused(
                http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Accepted: {_JSON}."
            )
        length = self.headers.get("Content-Length", "")
        # Digits alone: `int` takes signs, underscores and other scripts too.
        if not (length.isascii() and length.isdecimal()):
            raise _Refused(
                http.HTTPStatus.LENGTH_REQUIRED, "The length is missing."
            )
        if len(length) > len(str(MAX_BYTES)) or int(length) > MAX_BYTES:
            raise _Refused(
                http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The text is too long. Accepted: {MAX_BYTES} bytes.",
            )
        try:
            value = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            value = None
        texts = value.get("texts") if isinstance(value, Mapping) else None
        if (
            not isinstance(texts, list)
            or not 1 <= len(texts) <= MAX_TEXTS
            or not all(isinstance(text, str) for text in texts)
        ):
            raise _Refused(
                http.HTTPStatus.BAD_REQUEST,
                f'Accepted: {{"texts": [...]}}, {MAX_TEXTS} strings at most.',
            )
        return [_without_halves(text) for text in texts]

    def _answers(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        try:
            answers = self.server.answers(texts)
        except (ServingError, ValueError) as error:
            raise _Refused(
                http.HTTPStatus.INTERNAL_SERVER_ERROR,
                f"The model did not answer: {error}",
            ) from error
        except Exception as error:
            _LOGGER.exception("the model failed")
            raise _Refused(
                http.HTTPStatus.INTERNAL_SERVER_ERROR,
                f"The model failed: {type(error).__name__}. The terminal has "
                "more.",
            ) from error
        if answers is None:
            raise _Refused(
                http.HTTPStatus.SERVICE_UNAVAILABLE,
                "Too many requests are waiting. Try again.",
            )
        return answers

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """Sends an error as JSON: the standard one puts its text in HTML."""
        # What the body holds has not been read: the connection ends here.
        self._send_json({"error": message or explain or "Refused."}, code)

    def _send_json(self, value: Any, status: int = http.HTTPStatus.OK) -> None:
        try:
            body = json.dumps(value, allow_nan=False).encode()
        except ValueError:
            status = http.HTTPStatus.INTERNAL_SERVER_ERROR
            body = b'{"error": "The model answered with what is no number."}'
        self._send(body, _JSON, status)

    def _send(
        self, body: bytes, kind: str, status: int = http.HTTPStatus.OK
    ) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Notes a request; the standard one prints it."""
        _LOGGER.debug(format, *args)


def _without_halves(text: str) -> str:
    """Replaces halves of characters, which UTF-8 has no bytes for."""
    halves = text.encode("utf-16", "surrogatepass")
    return halves.decode("utf-16", "replace")
