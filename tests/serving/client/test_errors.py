"""Tests of whose fault an error is."""

import pytest

from dlfa_tf.serving import CallerError
from dlfa_tf.serving import ServerError
from dlfa_tf.serving.client.errors import error_of

NEIGHBOURS = (
    "Tensors with name 'tag_words_words:0' from different tasks have different "
    "shapes and padding is turned off."
)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("NOT_FOUND", "Servable not found for request", CallerError),
        ("FAILED_PRECONDITION", "Serving signature key", CallerError),
        ("INVALID_ARGUMENT", "Shape of tensor", CallerError),
        ("UNAVAILABLE", "connection refused", ServerError),
        ("DEADLINE_EXCEEDED", "too slow", ServerError),
        ("INTERNAL", "", ServerError),
        # Said under a caller's code, but no caller can mend it.
        ("NOT_FOUND", "Op type not registered 'X' in binary", ServerError),
        ("FAILED_PRECONDITION", "Could not find variable v", ServerError),
        ("FAILED_PRECONDITION", NEIGHBOURS, ServerError),
        # Said to the one who sent such a request, before it joins a batch.
        ("INVALID_ARGUMENT", "Batching Run() input tensors must", CallerError),
    ],
)
def test_fault_is_read_from_code_and_message(code, message, kind):
    error = error_of(code, message)
    assert type(error) is kind
    assert (error.code, error.message) == (code, message)
    assert str(error) == f"{code}: {message}"


@pytest.mark.parametrize(
    ("code", "message", "temporary"),
    [
        ("UNAVAILABLE", "connection refused", True),
        ("RESOURCE_EXHAUSTED", "Server Threadpool Exhausted", True),
        ("FAILED_PRECONDITION", NEIGHBOURS, True),
        # A proxy's limit: the same message will always be too large.
        (
            "RESOURCE_EXHAUSTED",
            "Received message larger than max (5 vs. 4)",
            False,
        ),
        ("DEADLINE_EXCEEDED", "too slow", False),
        ("NOT_FOUND", "Op type not registered 'X' in binary", False),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(code, message, temporary):
    assert error_of(code, message).is_temporary is temporary
