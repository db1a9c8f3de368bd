"""The double does what the real server was seen to do, 2.20.0 on 2026-11-28."""

import threading
import time

import pytest

from dlfa_tf.serving import CallerError
from dlfa_tf.serving import Client
from dlfa_tf.serving import ServerError
from dlfa_tf.serving.contract import MAX_BATCH_SIZE
from tests.serving.asking import Grpc
from tests.serving.asking import Refusal
from tests.serving.server_double import ServerDouble
from tests.serving.test_server import BATCHING
from tests.serving.test_server import model_config

# As it was shipped once.
SHIPPED = f"{BATCHING.read_text()}\nallowed_batch_sizes: {MAX_BATCH_SIZE}\n"


@pytest.fixture
def double(request, toy_tagger):
    options = getattr(request, "param", {"batching": BATCHING.read_text()})
    double = ServerDouble(model_config(pos=toy_tagger.parent), **options)
    yield double
    double.stop()


@pytest.fixture
def asker(double):
    asker = Grpc(double.grpc, "pos")
    yield asker
    asker.close()


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def together(double, *calls):
    """Results of calls whose requests share a batch, in this order."""
    found = [None] * len(calls)

    def keep(i):
        try:
            found[i] = calls[i]()
        except Exception as error:
            found[i] = error

    with double.batcher.held():
        threads = []
        for i in range(len(calls)):
            threads.append(threading.Thread(target=keep, args=[i]))
            threads[-1].start()
            wait_until(lambda i=i: double.batcher.waiting() > i)
    for thread in threads:
        thread.join()
    return found


def words(*rows):
    return "tag_words", {"words": [list(row) for row in rows]}


def test_requests_of_one_width_share_a_batch(double, asker):
    one, other = together(
        double,
        lambda: asker.ask(*words("Ab")),
        lambda: asker.ask(*words("cD", "ef")),
    )
    assert one["tags"] == [["UP", "LOW", ""]]
    assert other["tags"] == [["LOW", "UP", ""], ["LOW", "LOW", ""]]


def test_one_caller_breaks_its_neighbours(double, asker):
    answers = together(
        double,
        lambda: asker.ask(*words("abc")),
        lambda: asker.ask(*words("abcde")),
    )
    for answer in answers:
        assert isinstance(answer, Refusal)
        assert answer.message.startswith("FAILED_PRECONDITION: Tensors with n")


def test_client_is_not_hurt_by_a_neighbour(double, asker):
    """It pads to one width, and asks again when that does not help."""
    with Client(double.grpc, "pos") as client:
        for long in (5, 200):
            (one,), (other,) = together(
                double,
                lambda: client.tag_words([["A", "b", "c"]]),
                lambda long=long: client.tag_words([["D"] * long]),
            )
            assert [word.tag for word in one] == ["UP", "LOW", "LOW"]
            assert len(other) == long
        text, answer = together(
            double,
            lambda: client.tag(["A b"]),
            lambda: asker.ask("serving_default", {"text": [["a"]]}),
        )
    assert [word.tag for word in text[0]] == ["UP", "LOW"]
    assert isinstance(answer, Refusal)


def test_no_dimension_is_refused_to_its_sender_alone(double, asker):
    answer = asker.ask("embed", {"text": "a"})
    assert answer.message == (
        "INVALID_ARGUMENT: Batching Run() input tensors must have at least "
        "one dimension"
    )
    assert asker.ask("embed", {"text": ["a"]}) == {"embedding": [[1.0, 0.5]]}


def test_nothing_is_not_answered_alone(double, asker):
    answer = asker.ask("embed", {"text": []}, seconds=0.3)
    assert answer.message.startswith("DEADLINE_EXCEEDED")
    with Client(double.rest, "pos") as client:
        double.rest_seconds = 0.3
        with pytest.raises(ServerError, match="DEADLINE_EXCEEDED"):
            client._transport.predict(
                {"name": "pos", "signature": "embed"}, {"text": []}, [], 5
            )


@pytest.mark.parametrize(
    ("double", "crashes"),
    [
        ({"batching": SHIPPED}, True),
        ({"batching": BATCHING.read_text()}, False),
    ],
    indirect=["double"],
    ids=["allowed_batch_sizes", "as it is"],
)
def test_nothing_at_the_end_of_a_padded_batch_is_the_end(
    double, asker, crashes
):
    text, nothing = together(
        double,
        lambda: asker.ask("embed", {"text": ["ab"]}),
        lambda: asker.ask("embed", {"text": []}),
    )
    assert double.crashed is crashes
    assert isinstance(text, Refusal) is crashes
    after = asker.ask("embed", {"text": ["ab"]})
    assert isinstance(after, Refusal) is crashes
    if not crashes:
        assert nothing == {"embedding": []}


def test_client_cannot_end_the_server(double):
    with Client(double.grpc, "pos") as client:
        (text,) = together(double, lambda: client.tag(["a"]))
        assert client.predict({"text": []}, "embed") == {"embedding": []}
    assert len(text) == 1


def test_larger_requests_than_a_batch_are_refused(double):
    with Client(double.grpc, "pos", max_batch_size=99) as client:
        with pytest.raises(CallerError, match="Task size 33 is larger than ma"):
            client.tag(["a"] * 33)


@pytest.mark.parametrize(
    "double", [{"grpc_threads": 1}], indirect=True, ids=[""]
)
def test_calls_beyond_the_threads_are_refused(double, asker):
    double.delay = 0.5
    slow = threading.Thread(target=asker.ask, args=["embed", {"text": ["a"]}])
    slow.start()
    wait_until(lambda: double.requests)
    other = Grpc(double.grpc, "pos")
    answer = other.ask("embed", {"text": ["a"]})
    other.close()
    assert answer.message == "RESOURCE_EXHAUSTED: Server Threadpool Exhausted"
    with Client(double.grpc, "pos") as client:
        # It waits.
        assert client.embed(["a"]) == [[1.0, 0.5]]
    slow.join()
