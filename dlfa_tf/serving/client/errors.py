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
# Under batching a request can share a batch with one of another shape, which
# fails both; next time it has other neighbours.
_NEIGHBOURS = "from different tasks have different shapes"
# What fails whoever asks, or through no fault of the one who does, is reported
# under a caller's code all the same.
_SERVER_MESSAGES = (
    "Op type not registered",
    "Could not find variable",
    "Table not initialized",
    _NEIGHBOURS,
)
# A server that is starting, switching or full.
_TEMPORARY_CODES = frozenset({"RESOURCE_EXHAUSTED", "UNAVAILABLE"})
# A limit on the size of messages is reported as a full server is.
_TOO_LARGE = "message larger than max"


class ServingError(Exception):
    """What a server answered instead of a result.

    Attributes:
        code: str, the gRPC code, such as `"NOT_FOUND"`; REST answers are
            mapped to these.
        message: str, the server's own words.

    Example:
        >>> from dlfa_tf.serving import ServingError
        >>> ServingError("NOT_FOUND", "no model of this name").code
        'NOT_FOUND'
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class CallerError(ServingError):
    """The request is wrong: sent again it fails again.

    Example:
        >>> from dlfa_tf.serving import CallerError
        >>> from dlfa_tf.serving import Client
        >>> try:
        ...     Client("127.0.0.1:1", "pos").tag("one text, no list")
        ... except CallerError as error:
        ...     print(error.code)
        INVALID_ARGUMENT
    """


class InputError(CallerError, TypeError, ValueError):
    """An argument is wrong; it was found before anything was sent."""

    def __init__(self, message: str) -> None:
        super().__init__("INVALID_ARGUMENT", message)


class ServerError(ServingError):
    """The server, the model or the network failed; the request may be right.

    Example:
        >>> from dlfa_tf.serving import Client
        >>> from dlfa_tf.serving import ServerError
        >>> try:
        ...     Client("127.0.0.1:1", "pos", timeout=0.1).tag(["Hallo"])
        ... except ServerError as error:
        ...     print(error.is_temporary)
        True
    """

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may be answered a moment later."""
        if self.code in _TEMPORARY_CODES:
            return _TOO_LARGE not in self.message
        return _NEIGHBOURS in self.message


def error_of(code: str, message: str) -> ServingError:
    """Returns the error that a code and a message stand for."""
    fault = code in _CALLER_CODES and not any(
        part in message for part in _SERVER_MESSAGES
    )
    return (CallerError if fault else ServerError)(code, message)
