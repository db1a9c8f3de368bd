"""Tests of the client, against the double of the model server."""

import socket
import subprocess
import sys
import threading
import time
from concurrent import futures

import grpc
import pytest

from dlfa_tf.serving import CallerError
from dlfa_tf.serving import Client
from dlfa_tf.serving import ServerError
from tests.serving.server_double import ServerDouble

CONFIG = """
model_config_list {{
  config {{ name: "pos" base_path: "{}" model_platform: "tensorflow" }}
  config {{ name: "xnli" base_path: "{}" model_platform: "tensorflow"
           version_labels {{ key: "stable" value: 1 }} }}
}}
"""


@pytest.fixture(scope="module")
def running(toy_tagger, toy_classifier):
    config = CONFIG.format(toy_tagger.parent, toy_classifier.parent)
    double = ServerDouble(config)
    yield double
    double.stop()


@pytest.fixture
def double(running):
    running.faults.clear()
    running.delay = 0.0
    running.max_batch_size = None
    running.requests = 0
    return running


@pytest.fixture(params=["grpc", "rest"])
def connect(request, double):
    """Makes clients of one transport; closes them."""
    clients = []

    def connect(model="pos", **options):
        target = getattr(double, request.param)
        clients.append(Client(target, model, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def test_texts_are_tagged(connect):
    client = connect()
    answer = client.tag(["The cat", "", "東京 İt e\u0301", b"by Bytes"])
    assert [[tuple(word) for word in words] for words in answer] == [
        [("The", "UP", 0.5), ("cat", "LOW", 0.5)],
        [],
        [("東京", "LOW", 0.5), ("İt", "LOW", 0.5), ("e\u0301", "LOW", 0.5)],
        [("by", "LOW", 0.5), ("Bytes", "UP", 0.5)],
    ]
    assert answer[0][0].tag == "UP"


def test_words_are_tagged(connect):
    answer = connect().tag_words([["The", "cat"], [], ["b"]])
    assert [[word.word for word in words] for words in answer] == [
        ["The", "cat"],
        [],
        ["b"],
    ]


def test_pairs_are_classified(connect):
    answer = connect("xnli").classify(["a", "b"], ["a", "c"])
    assert answer[0].label == "same"
    assert [tuple(x) for x in answer] == [
        ("same", [0.0, 1.0]),
        ("other", [0.75, 0.25]),
    ]


def test_texts_and_pairs_are_embedded(connect):
    assert connect().embed(["abcd", "ab"]) == [[4.0, 2.0], [2.0, 1.0]]
    assert connect("xnli").embed(["abc"], ["de"]) == [[5.0]]


def test_nothing_is_not_asked(connect, double):
    client = connect()
    assert client.tag([]) == client.tag_words([]) == client.embed([]) == []
    assert client.tag_words([[], []]) == [[], []]
    assert connect("xnli").classify([], []) == []
    assert double.requests == 0


def test_large_inputs_are_split(connect, double):
    double.max_batch_size = 4
    texts = [f"text {i} " + "x " * (i % 3) for i in range(10)]
    client = connect(max_batch_size=4)
    answer = client.tag(texts)
    assert [[w.word for w in words] for words in answer] == [
        text.split() for text in texts
    ]
    assert double.requests == 3
    vectors = client.embed(texts)
    assert [row[0] for row in vectors] == [len(text) for text in texts]
    with pytest.raises(CallerError, match="larger than maximum") as caught:
        connect(max_batch_size=5).tag(texts)
    assert caught.value.code == "INVALID_ARGUMENT"


def test_only_what_is_asked_for_comes_back(connect):
    answer = connect().predict({"text": ["a b"]}, outputs=["length"])
    assert answer == {"length": [2]}


@pytest.mark.parametrize(
    ("options", "call", "code"),
    [
        ({"model": "no"}, lambda c: c.tag(["a"]), "NOT_FOUND"),
        ({"version": 9}, lambda c: c.tag(["a"]), "NOT_FOUND"),
        ({"label": "no"}, lambda c: c.tag(["a"]), "INVALID_ARGUMENT"),
        ({}, lambda c: c.predict({"no": ["a"]}), "INVALID_ARGUMENT"),
        ({}, lambda c: c.predict({"text": [["a"]]}), "INVALID_ARGUMENT"),
        ({}, lambda c: c.classify(["a"], ["b", "c"]), "INVALID_ARGUMENT"),
        ({}, lambda c: c.tag("a b"), "INVALID_ARGUMENT"),
    ],
    ids=["model", "version", "label", "input", "rank", "lengths", "string"],
)
def test_callers_faults_are_told_apart(connect, double, options, call, code):
    with pytest.raises(CallerError) as caught:
        call(connect(**options))
    assert caught.value.code == code
    assert caught.value.message
    assert double.requests <= 1


def test_only_output_has_its_name(connect):
    answer = connect().predict({"text": ["ab"]}, "embed")
    assert answer == {"embedding": [[2.0, 1.0]]}


def test_empty_batch_is_answered_without_the_model(connect, double):
    client = connect()
    assert client.predict({"text": []}) == {
        "length": [],
        "scores": [],
        "tags": [],
        "words": [],
    }
    empty = client.predict({"words": []}, "tag_words", outputs=["tags"])
    assert empty == {"tags": []}
    for wrong, message in (
        (({"text": []}, "tag_word"), "Did you mean 'tag_words'"),
        (({"texts": []},), "takes .'text'.. Received: .'texts'."),
        (({"text": []}, "embed", ["tags"]), "Received: .'tags'."),
    ):
        with pytest.raises(CallerError, match=message):
            client.predict(*wrong)
    assert double.requests == 0


def test_every_word_has_its_tag_back(connect):
    """An empty word at the end is no padding; bytes come back as text."""
    sentences = [["", "A", ""], [], [""], [b"B", "\u3000", "e\u0301"]]
    answer = connect().tag_words(sentences)
    assert [[word.word for word in words] for words in answer] == [
        ["", "A", ""],
        [],
        [""],
        ["B", "\u3000", "e\u0301"],
    ]
    assert answer[0][1].tag == answer[3][0].tag == "UP"


def test_rows_of_words_are_of_few_widths(connect, monkeypatch):
    """A server that joins requests can join only those of one width."""
    client = connect()
    widths = []
    predict = client._transport.predict

    def spied(spec, inputs, *rest):
        widths.append({len(row) for row in inputs["words"]})
        return predict(spec, inputs, *rest)

    monkeypatch.setattr(client._transport, "predict", spied)
    for count in (1, 5, 128, 129, 300):
        assert len(client.tag_words([["x"] * count, ["y"]])[0]) == count
    assert widths == [{128}, {128}, {128}, {256}, {512}]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_busy_server_is_asked_again(connect, double, code):
    double.faults[:] = [code] * 2
    assert connect().tag(["a"])[0][0].word == "a"
    assert double.requests == 3


def test_other_errors_are_not_retried(connect, double):
    double.faults[:] = ["INTERNAL"]
    with pytest.raises(ServerError) as caught:
        connect().tag(["a"])
    assert caught.value.code == "INTERNAL"
    assert double.requests == 1


def test_retries_end_with_the_deadline(connect, double):
    double.faults[:] = ["UNAVAILABLE"] * 100
    started = time.monotonic()
    with pytest.raises(ServerError) as caught:
        connect(timeout=0.6).tag(["a"])
    assert caught.value.code == "UNAVAILABLE"
    assert time.monotonic() - started < 5
    assert 2 <= double.requests < 20


def test_slow_server_meets_the_deadline(connect, double):
    double.delay = 1.0
    started = time.monotonic()
    with pytest.raises(ServerError) as caught:
        connect(timeout=0.2).tag(["a"])
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - started < 0.9


def test_deadline_covers_all_parts(connect, double):
    double.delay = 0.15
    with pytest.raises(ServerError) as caught:
        connect(timeout=0.4, max_batch_size=1).tag(["a"] * 10)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert double.requests < 5


@pytest.mark.parametrize("form", ["{}", "http://{}"], ids=["grpc", "rest"])
def test_server_that_is_not_there_is_unavailable(form):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        target = form.format(f"127.0.0.1:{free.getsockname()[1]}")
    with Client(target, "pos", timeout=0.3) as client:
        with pytest.raises(ServerError) as caught:
            client.tag(["a"])
    assert caught.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_port_of_another_protocol_is_named(double):
    with Client(f"http://{double.grpc}", "pos", timeout=5) as client:
        started = time.monotonic()
        with pytest.raises(
            CallerError, match="not answer in HTTP/1.1"
        ) as caught:
            client.tag(["a"])
    assert time.monotonic() - started < 2
    assert str(caught.value).isprintable()
    assert double.grpc in str(caught.value)


def answered_after_an_outage(seconds):
    """Seconds from the start of a server until a client that waits sees it.

    The client has asked in vain for `seconds` before.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Client(f"127.0.0.1:{port}", "pos", timeout=60) as client:
        found = []

        def ask():
            try:
                client.tag(["a"])
            except ServerError as error:
                found.append((time.monotonic(), error.code))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(seconds)
        # It knows no method, and says so: that is an answer.
        server = grpc.server(futures.ThreadPoolExecutor(1))
        assert server.add_insecure_port(f"127.0.0.1:{port}") == port
        server.start()
        started = time.monotonic()
        asking.join()
        server.stop(None)
    ((at, code),) = found
    assert code == "UNIMPLEMENTED"
    return at - started


# By default gRPC connects after 1, 2.6, 5.2, 9.3, 16 ... seconds without a
# server, give or take a fifth: 10 seconds of waiting show the difference.
@pytest.mark.slow
def test_server_is_seen_soon_after_an_outage():
    assert answered_after_an_outage(10.5) < 4.5


def test_pauses_between_attempts_to_connect_are_short(monkeypatch):
    seen = []
    monkeypatch.setattr(
        grpc, "insecure_channel", lambda target, options: seen.append(options)
    )
    Client("127.0.0.1:1", "m")
    assert dict(seen[0])["grpc.max_reconnect_backoff_ms"] <= 2000
    assert dict(seen[0])["grpc.initial_reconnect_backoff_ms"] <= 100


def test_connection_is_kept(double):
    with Client(double.rest, "pos") as client:
        client.tag(["a"])
        (first,) = client._transport._idle
        client.tag(["b"])
        assert list(client._transport._idle) == [first]
        # What a server does to a connection that was idle too long.
        first.sock.shutdown(socket.SHUT_RDWR)
        assert client.tag(["c"])[0][0].word == "c"
        assert double.requests == 3
        assert first not in client._transport._idle


def test_threads_that_ended_leave_no_connections(double):
    with Client(double.rest, "pos") as client:
        for _ in range(5):
            thread = threading.Thread(target=client.tag, args=[["a"]])
            thread.start()
            thread.join()
        assert len(client._transport._idle) == 1


def test_threads_share_a_client(connect, double):
    client = connect()
    answers = {}

    def ask(number):
        answers[number] = client.tag([f"word{number}"])[0][0].word

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {i: f"word{i}" for i in range(8)}


def test_status_and_signatures(connect):
    assert connect().status() == {1: ("AVAILABLE", "")}
    assert connect("xnli", label="stable").signatures() == {
        "embed": (["first", "second"], ["embedding"]),
        "serving_default": (["first", "second"], ["label", "probabilities"]),
    }
    with pytest.raises(CallerError):
        connect("no").status()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 1, "label": "x"}, "Either `version` or `label`"),
        ({"timeout": 0}, "`timeout` .* Received: 0"),
        ({"timeout": float("nan")}, "`timeout` .* Received: nan"),
        ({"timeout": "5"}, "`timeout` .* Received: '5'"),
        ({"max_batch_size": 0}, "`max_batch_size` .* Received: 0"),
        ({"max_batch_size": 1.5}, "`max_batch_size` .* Received: 1.5"),
        ({"version": "1"}, "`version` .* Received: '1' of type str"),
        ({"version": True}, "`version` .* Received: True of type bool"),
        ({"label": 1}, "`label` .* Received: 1 of type int"),
        ({"model": None}, "`model` .* Received: None of type NoneType"),
        ({"model": ""}, "`model` must not be empty"),
        ({"server": None}, "`server` .* Received: None"),
        ({"server": b"a:1"}, "`server` .* Received: b'a:1'"),
        ({"server": "localhost"}, "`server` has no port"),
        (
            {"server": "http://a", "credentials": 1},
            "`credentials` are for gRPC",
        ),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Client(**{"server": "a:1", "model": "m", **options})


@pytest.mark.parametrize(
    "url",
    [
        "http://a:85o1",
        "http://a:65536",
        "http://",
        "https://u:p@a",
        "http://[a",
    ],
)
def test_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="`server` must name a host") as caught:
        Client(url, "m")
    assert f"Received: {url!r}. Accepted: http://HOST:PORT" in str(caught.value)


def test_client_needs_nothing_but_grpcio_and_protobuf():
    """On a machine without TensorFlow, Keras, NumPy and KerasHub."""
    program = """
import importlib.abc, importlib.metadata, sys
allowed = {"dlfa_tf", "google", "grpc", "typing_extensions"}

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def version(name):
    raise importlib.metadata.PackageNotFoundError(name)

sys.meta_path.insert(0, Block())
importlib.metadata.version = version
from dlfa_tf.serving import Client, CallerError, ServerError
try:
    Client("127.0.0.1:1", "m", timeout=0.2).tag(["a"])
except ServerError:
    print("asked over gRPC")
before = set(sys.modules)
Client("http://127.0.0.1:1", "m").close()
print("connected over REST")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "asked over gRPC\nconnected over REST\n"


def test_rest_needs_the_standard_library_only():
    program = (
        "import sys\n"
        "from dlfa_tf.serving import Client\n"
        "Client('http://127.0.0.1:1', 'm').close()\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'grpc', 'google'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr
