"""What holds on a running model server: the real one, and its double.

The real one is the binary named by TF_MODEL_SERVER, without and with batching.
The double shows that these tests can pass, and the client and the exports with
them; the server's own session only the real one has.
"""

import contextlib
import os
import pathlib
import shutil
import threading
import time

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc

from dlfa_tf.serving import Client
from dlfa_tf.serving.contract import WARMUP
from dlfa_tf.serving.export.warmup import as_strings
from dlfa_tf.serving.export.warmup import write_warmup
from tests.serving.asking import Grpc
from tests.serving.asking import Rest
from tests.serving.conformance import check_answers
from tests.serving.conformance import check_hostile
from tests.serving.conformance import check_random
from tests.serving.real_server import RealServer
from tests.serving.real_server import find_server
from tests.serving.server_double import ServerDouble

BATCHING = (
    pathlib.Path(__file__).parents[2] / "saved_models" / "batching.config"
)
SECONDS = 120


def model_config(**bases):
    """Text of a model config file."""
    models = "".join(
        f'  config {{ name: "{name}" base_path: "{base}" '
        'model_platform: "tensorflow" }\n'
        for name, base in bases.items()
    )
    return f"model_config_list {{\n{models}}}\n"


@pytest.fixture(
    scope="module",
    params=["double", "double batching", "real", "real batching"],
)
def server_kind(request):
    if request.param.startswith("real"):
        find_server()
    return request.param


@pytest.fixture(scope="module")
def start(server_kind):
    """Starts servers; ends them with the module."""
    with contextlib.ExitStack() as stack:

        def start(**bases):
            config = model_config(**bases)
            batching = None
            if server_kind.endswith("batching"):
                batching = BATCHING.read_text()
            if server_kind.startswith("double"):
                # As the real one has for two cores.
                server = ServerDouble(config, batching=batching, grpc_threads=8)
            else:
                server = RealServer(config, list(bases), batching)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture(scope="module")
def server(start, tagger_export, classifier_export):
    return start(
        tagger=tagger_export.parent, classifier=classifier_export.parent
    )


@pytest.fixture(params=[Grpc, Rest], ids=["grpc", "rest"])
def asker(request, server):
    """Function from the name of a model to an asker."""
    made = []

    def asker(model):
        target = server.grpc if request.param is Grpc else server.rest
        made.append(request.param(target, model))
        return made[-1]

    yield asker
    for item in made:
        item.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tagger", "classifier"])
def test_server_conforms(kind, asker, server, server_kind, request, seed):
    model = request.getfixturevalue(kind)
    real = server.kind == "real"
    asked = asker(kind)
    check_answers(asked, model, kind)
    check_hostile(
        asked,
        kind,
        5 * 2**20 if real else 5 * 2**10,
        batching=server_kind.endswith("batching"),
    )
    check_random(asked, model, kind, 10_000 if real else 100, seed, batch=25)


@pytest.fixture
def base(tmp_path, toy_classifier):
    """Folder of a model with version 1."""
    add_version(tmp_path / "model", 1, toy_classifier)
    return tmp_path / "model"


def add_version(base, version, export, warmup=None):
    """Copies an export, under another name first, as an operator would."""
    base.mkdir(exist_ok=True)
    writing = base / f"copying-{version}"
    shutil.copytree(export, writing, copy_function=os.link)
    if warmup is not None:
        (writing / WARMUP).unlink()
        write_warmup(writing, "model", warmup)
    writing.rename(base / str(version))


def wait_for(client, version, state):
    end = time.monotonic() + SECONDS
    while client.status().get(version, ("", ""))[0] != state:
        assert time.monotonic() < end, client.status()
        time.sleep(0.05)


def keep_asking(target, stop, failures, count):
    with Client(target, "model", timeout=SECONDS) as client:
        while not stop.is_set():
            try:
                client.classify(["a cat"], ["a dog"])
                count.append(1)
            except Exception as error:
                failures.append(error)


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_many_callers_are_all_answered(start, toy_tagger, transport):
    """More than the server has threads, in sentences of all widths.

    Some ask nothing, which under batching no server answers.
    """
    server = start(pos=toy_tagger.parent)
    failures = []

    def ask(client, number):
        lengths = [1 + number % 7, 150 * (number % 2), 300 * (number % 3 == 0)]
        sentences = [["Word"] * length for length in lengths]
        try:
            for _ in range(4):
                answer = client.tag_words(sentences)
                assert [len(words) for words in answer] == lengths
                answer = client.tag([f"Caller {number}"])
                assert answer[0][1].word == str(number)
                assert client.predict({"text": []})["tags"] == []
        except Exception as error:
            failures.append(error)

    target = getattr(server, transport)
    with Client(target, "pos", timeout=SECONDS) as client:
        threads = [
            threading.Thread(target=ask, args=(client, i)) for i in range(24)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_version_is_switched_under_load(start, base, toy_classifier):
    server = start(model=base)
    stop = threading.Event()
    failures, count = [], []
    arguments = (stop, failures, count)
    threads = [
        threading.Thread(target=keep_asking, args=(target, *arguments))
        for target in (server.grpc, server.rest)
    ]
    for thread in threads:
        thread.start()
    try:
        with Client(server.grpc, "model", timeout=SECONDS) as client:
            add_version(base, 2, toy_classifier)
            wait_for(client, 2, "AVAILABLE")
            wait_for(client, 1, "END")
            asked = len(count)
            while len(count) < asked + 5 and not failures:
                time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_version_whose_warmup_fails_replaces_nothing(
    start, base, toy_classifier
):
    server = start(model=base)
    wrong = [("serving_default", {"text": as_strings(["a"])})]
    add_version(base, 2, toy_classifier, wrong)
    with Client(server.grpc, "model", timeout=SECONDS) as client:
        wait_for(client, 2, "END")
        state, message = client.status()[2]
        assert message
        assert client.status()[1] == ("AVAILABLE", "")
        assert len(client.classify(["a cat"], ["a dog"])) == 1


def test_config_is_reloaded(start, base, toy_tagger):
    server = start(model=base)
    request = model_management_pb2.ReloadConfigRequest()
    text_format.Parse(
        model_config(model=base, more=toy_tagger.parent), request.config
    )
    with grpc.insecure_channel(server.grpc) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        answer = stub.HandleReloadConfigRequest(request, timeout=SECONDS)
    assert answer.status.error_code == 0
    with Client(server.rest, "more", timeout=SECONDS) as client:
        wait_for(client, 1, "AVAILABLE")
        assert [len(words) for words in client.tag(["a cat", ""])] == [2, 0]
    with Client(server.rest, "model", timeout=SECONDS) as client:
        assert len(client.classify(["a"], ["b"])) == 1
