"""Errors of the serving client, by whose fault they are."""

# Codes of gRPC, and what TensorFlow Serving's REST answers stand for.
CODE_OF_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_CALLER_CODES = frozenset(
    """
    FAILED_PRECONDITION INVALID_ARGUMENT NOT_FOUND OUT_OF_RANGE
    PERMISSION_DENIED UNAUTHENTICATED
    """.split()
)
# A model that cannot answer anybody is reported under a caller's code.
_SERVER_MESSAGES = (
    "Op type not registered",
    "Could not find variable",
    "Table not initialized",
)


class ServingError(Exception):
    """What a server answered instead of a result.

    Attributes:
        code: str, the gRPC code, such as `"NOT_FOUND"`; REST answers are
            mapped to these.
        message: str, the server's own words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class CallerError(ServingError):
    """The request is wrong: sent again it fails again."""


class ServerError(ServingError):
    """The server, the model or the network failed; the request may be right."""


def error_of(code: str, message: str) -> ServingError:
    """Returns the error that a code and a message stand for."""
    fault = code in _CALLER_CODES and not any(
        part in message for part in _SERVER_MESSAGES
    )
    return (CallerError if fault else ServerError)(code, message)
