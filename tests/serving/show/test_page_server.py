"""Tests of dlfa_tf.serving.show.page_server."""

import contextlib
import http.client
import json
import socket
import threading
import time

import pytest

from dlfa_tf.serving.show import page_server
from dlfa_tf.serving.show.page_server import PageServer


class Echo:
    """Answers with the texts themselves."""

    about = {"kind": "classifier", "name": "echo"}

    def answer(self, texts):
        if texts[0] == "fail":
            raise RuntimeError("secret")
        if texts[0] == "wrong":
            raise ValueError("what is wrong")
        if texts[0] == "nan":
            return {"odds": float("nan")}
        return {"texts": texts}


@contextlib.contextmanager
def running(*answerers):
    with PageServer(answerers or [Echo()]) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


def ask(server, method="POST", path="/answer", body=None, **headers):
    """Status, headers and body of a reply; None leaves a header out."""
    host, port = server.server_address
    connection = http.client.HTTPConnection(host, port, timeout=10)
    if method == "POST" and body is None:
        body = {"texts": ["a", "b"]}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Host": f"{host}:{port}", "Content-Type": "application/json"}
    if method == "POST":
        sent["Content-Length"] = str(len(data))
    sent |= {name.replace("_", "-"): x for name, x in headers.items()}
    connection.putrequest(method, path, skip_host=True)
    for name, value in sent.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders()
    if method == "POST":
        connection.send(data)
    with contextlib.closing(connection):
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()


def test_only_this_machine_can_connect(server):
    assert server.server_address[0] == "127.0.0.1"


def test_texts_are_answered_in_order(server):
    texts = ["<script>alert(1)</script>", "नमस्ते\u202e\0"]
    status, headers, body = ask(server, body={"texts": texts})
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"answers": [{"texts": texts}]}
    # Nothing of it is HTML, were it ever shown as such.
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/about"])
def test_pages_come_with_a_policy_without_inline_code(server, path):
    status, headers, body = ask(server, "GET", path)
    assert status == 200
    assert body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert ask(server, "HEAD", path)[2] == b""


def test_half_a_character_is_replaced(server):
    _, _, body = ask(server, body=b'{"texts": ["a\\ud800b"]}')
    assert json.loads(body)["answers"][0]["texts"] == ["a\ufffdb"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Host": None},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/answer"), ("GET", "/about"), ("GET", "/")]
)
def test_requests_of_other_sites_are_refused(server, headers, method, path):
    status, _, body = ask(server, method, path, **headers)
    assert status == 403
    assert server.url in json.loads(body)["error"]


def test_page_itself_may_ask_by_either_name(server):
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{server.server_address[1]}"
        origin = f"http://{host}"
        assert ask(server, Host=host, Origin=origin)[0] == 200
        other = ask(server, Host=host, Origin="http://localhost:1")
        assert other[0] == 403


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (415, {"Content_Type": "text/plain"}),
        (415, {"Content_Type": None}),
        (411, {"Content_Length": None}),
        (411, {"Content_Length": "-1"}),
        (411, {"Content_Length": "1_0"}),
        (413, {"Content_Length": str(page_server.MAX_BYTES + 1)}),
        (413, {"Content_Length": "9" * 5000}),
        (400, {"body": b"{"}),
        (400, {"body": b"[" * 50_000}),
        (400, {"body": b'{"texts": "\xff"}'}),
        (400, {"body": ["a"]}),
        (400, {"body": {"texts": []}}),
        (400, {"body": {"texts": ["a", "b", "c"]}}),
        (400, {"body": {"texts": [1]}}),
        (400, {"body": {"texts": "ab"}}),
        (404, {"path": "/../../etc/passwd"}),
        (404, {"method": "GET", "path": "/page/page.html"}),
        (404, {"method": "GET", "path": "/%2e%2e/answers.py"}),
        (501, {"method": "PUT"}),
    ],
    ids=lambda value: f"{value!s:.50}",
)
def test_wrong_request_is_refused(server, status, sent):
    found, headers, body = ask(server, **sent)
    assert found == status
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["error"]
    # It goes on answering.
    assert ask(server)[0] == 200


def test_largest_request_is_read(server):
    empty = len(json.dumps({"texts": [""]}))
    text = "a" * (page_server.MAX_BYTES - empty)
    status, _, body = ask(server, body={"texts": [text]})
    assert status == 200
    assert json.loads(body)["answers"] == [{"texts": [text]}]


def test_failure_of_a_model_is_told(server, caplog):
    status, _, body = ask(server, body={"texts": ["wrong"]})
    assert status == 500
    assert json.loads(body)["error"].endswith("what is wrong")
    status, _, body = ask(server, body={"texts": ["fail"]})
    assert status == 500
    # What an error of the program says may hold anything.
    assert b"secret" not in body
    assert "secret" in caplog.text
    status, _, body = ask(server, body={"texts": ["nan"]})
    assert status == 500
    assert b"no number" in body


def test_too_many_requests_are_sent_away():
    goes_on, began = threading.Event(), threading.Event()

    class Slow(Echo):
        def answer(self, texts):
            began.set()
            assert goes_on.wait(30)
            return {}

    with running(Slow()) as server:
        statuses = []

        def send():
            statuses.append(ask(server)[0])

        places = page_server._MAX_WAITING + 1
        threads = [threading.Thread(target=send) for _ in range(places + 3)]
        for thread in threads:
            thread.start()
        assert began.wait(30)
        deadline = time.monotonic() + 30
        while len(statuses) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert statuses == [503] * 3
        goes_on.set()
        for thread in threads:
            thread.join()
        assert statuses.count(200) == places


def test_silent_connection_is_closed(monkeypatch):
    monkeypatch.setattr(page_server._Handler, "timeout", 0.1)
    with running() as server:
        with socket.create_connection(server.server_address) as connection:
            connection.settimeout(10)
            connection.sendall(b"POST /answer HTTP/1.1\r\n")
            assert connection.recv(100) == b""


def test_two_models_answer_one_request():
    with running(Echo(), Echo()) as server:
        _, _, body = ask(server)
        assert len(json.loads(body)["answers"]) == 2
        _, _, about = ask(server, "GET", "/about")
        assert json.loads(about)["models"] == [Echo.about] * 2


def test_models_of_different_kinds_are_refused():
    class Tagger(Echo):
        about = {"kind": "tagger"}

    with pytest.raises(ValueError, match="two of the same kind"):
        PageServer([Echo(), Tagger()])
    with pytest.raises(ValueError, match="one model, or two"):
        PageServer([])


def test_taken_port_is_an_error(server):
    with pytest.raises(OSError, match="in use"):
        PageServer([Echo()], server.server_address[1])
