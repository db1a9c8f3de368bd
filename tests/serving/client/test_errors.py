"""Tests of whose fault an error is."""

import pytest

from dlfa_tf.serving import CallerError
from dlfa_tf.serving import ServerError
from dlfa_tf.serving.client.errors import error_of


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
    ],
)
def test_fault_is_read_from_code_and_message(code, message, kind):
    error = error_of(code, message)
    assert type(error) is kind
    assert (error.code, error.message) == (code, message)
    assert str(error) == f"{code}: {message}"
