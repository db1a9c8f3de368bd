"""Asks a model server; needs neither TensorFlow nor Keras nor NumPy."""

import random
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from dlfa_tf.serving.contract import DEFAULT_SIGNATURE
from dlfa_tf.serving.contract import MAX_BATCH_SIZE
from dlfa_tf.serving.errors import CallerError
from dlfa_tf.serving.errors import ServerError

_RETRIED = "UNAVAILABLE"
_FIRST_WAIT = 0.05
_LONGEST_WAIT = 2.0


class TaggedWord(NamedTuple):
    """A word, its tag, and the tag's probability."""

    word: str
    tag: str
    score: float


class Classification(NamedTuple):
    """A label, and the probabilities of all labels in the model's order."""

    label: str
    probabilities: list[float]


class Client:
    """Asks one model of a tensorflow_model_server.

    One connection is kept for the life of the client, which may be shared by
    threads: make one per process, not one per request. Inputs larger than
    `max_batch_size` are sent in parts. A request that meets an unavailable
    server is sent again, with growing random pauses, until the deadline; no
    other error is retried.

    Args:
        server: str, `HOST:PORT` for gRPC, `http://HOST:PORT` for REST.
        model: str, the model's name in the server.
        version: Optional int. Defaults to what the server serves.
        label: Optional str, a version's label instead of its number.
        timeout: float, seconds that a call may take, retries and parts
            included. Defaults to `30`.
        max_batch_size: int, examples per request. Defaults to `32`, which
            exports are warmed up for.
        credentials: Optional `grpc.ChannelCredentials`, for TLS over gRPC.

    Raises:
        ValueError: when both `version` and `label` are given, or a number is
            out of its range.

    Example:
        from dlfa_tf.serving import Client

        client = Client("127.0.0.1:8500", model="pos")  # connects on use
        client.close()
    """

    def __init__(
        self,
        server: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30.0,
        max_batch_size: int = MAX_BATCH_SIZE,
        credentials: Any = None,
    ) -> None:
        if version is not None and label is not None:
            raise ValueError(
                f"Either `version` or `label` may be given. Received: version="
                f"{version}, label={label!r}."
            )
        if timeout <= 0 or max_batch_size < 1:
            raise ValueError(
                "`timeout` must be above 0 seconds and `max_batch_size` 1 or "
                f"more. Received: timeout={timeout}, max_batch_size="
                f"{max_batch_size}."
            )
        self.server = server
        self.timeout = timeout
        self.max_batch_size = max_batch_size
        self._spec = {"name": model, "version": version, "label": label}
        self._transport: Any
        # Each needs what the other does not: the other is not imported.
        if server.startswith(("http://", "https://")):
            from dlfa_tf.serving.rest_transport import RestTransport

            self._transport = RestTransport(server)
        else:
            from dlfa_tf.serving.grpc_transport import GrpcTransport

            self._transport = GrpcTransport(server, credentials)

    def tag(self, texts: Sequence[str | bytes]) -> list[list[TaggedWord]]:
        """Tags texts, which the model splits at white space.

        Args:
            texts: list of strings.

        Returns:
            One list of `TaggedWord`s per text.

        Raises:
            CallerError, ServerError: see `predict`.
        """
        return self._tag(DEFAULT_SIGNATURE, {"text": _batch(texts)})

    def tag_words(
        self, sentences: Sequence[Sequence[str | bytes]]
    ) -> list[list[TaggedWord]]:
        """Tags sentences that are already split into words."""
        width = max((len(words) for words in sentences), default=0)
        rows = [[*words, *[""] * (width - len(words))] for words in sentences]
        if width == 0:
            return [[] for _ in rows]
        return self._tag("tag_words", {"words": rows})

    def classify(
        self, first: Sequence[str | bytes], second: Sequence[str | bytes]
    ) -> list[Classification]:
        """Classifies pairs of texts: `first[i]` with `second[i]`."""
        inputs = {"first": _batch(first), "second": _batch(second)}
        answer = self.predict(inputs) if inputs["first"] else {}
        return [
            Classification(label, probabilities)
            for label, probabilities in zip(
                answer.get("label", ()),
                answer.get("probabilities", ()),
                strict=True,
            )
        ]

    def embed(
        self,
        first: Sequence[str | bytes],
        second: Sequence[str | bytes] | None = None,
    ) -> list[list[float]]:
        """Returns the fused vectors of texts (tagger) or pairs (classifier)."""
        inputs = {"text" if second is None else "first": _batch(first)}
        if second is not None:
            inputs["second"] = _batch(second)
        if not first:
            return []
        return self.predict(inputs, "embed", ["embedding"])["embedding"]

    def predict(
        self,
        inputs: Mapping[str, Sequence[Any]],
        signature: str = DEFAULT_SIGNATURE,
        outputs: Sequence[str] = (),
    ) -> dict[str, list[Any]]:
        """Asks any signature.

        Args:
            inputs: lists by input name, all of the same length: strings, or
                rows of strings of equal lengths.
            signature: str.
            outputs: names to return. Defaults to all.

        Returns:
            Lists by output name, one row per example. Rows of a tagger are
            as wide as the longest text of their part.

        Raises:
            CallerError: when the request is wrong (unknown name, wrong
                shape); sending it again is useless.
            ServerError: when the server fails, is not there or is too slow.
        """
        lengths = {name: len(value) for name, value in inputs.items()}
        if len(set(lengths.values())) != 1:
            raise CallerError(
                "INVALID_ARGUMENT",
                f"`inputs` must be of one length. Received: {lengths}.",
            )
        count = next(iter(lengths.values()))
        end = time.monotonic() + self.timeout
        merged: dict[str, list[Any]] = {}
        for start in range(0, max(count, 1), self.max_batch_size):
            part = slice(start, start + self.max_batch_size)
            sent = {name: list(value[part]) for name, value in inputs.items()}
            answer = self._with_retries(
                lambda left, sent=sent: self._transport.predict(  # type: ignore[misc]
                    {**self._spec, "signature": signature}, sent, outputs, left
                ),
                end,
            )
            rows = min(self.max_batch_size, count - start)
            for name, value in answer.items():
                _check_rows(name, value, rows)
                merged.setdefault(name, []).extend(value)
        return merged

    def status(self) -> dict[int, tuple[str, str]]:
        """Returns state and error message of every version of the model.

        A version with warm-up records that is `"AVAILABLE"` can answer.
        """
        return self._with_retries(
            lambda left: self._transport.status(self._spec, left),
            time.monotonic() + self.timeout,
        )

    def signatures(self) -> dict[str, tuple[list[str], list[str]]]:
        """Returns the names of inputs and outputs of every signature."""
        found = self._with_retries(
            lambda left: self._transport.signatures(self._spec, left),
            time.monotonic() + self.timeout,
        )
        return {k: v for k, v in found.items() if not k.startswith("__")}

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _tag(
        self, signature: str, inputs: Mapping[str, list[Any]]
    ) -> list[list[TaggedWord]]:
        if not any(inputs.values()):
            return []
        answer = self.predict(inputs, signature)
        rows = zip(
            answer["words"],
            answer["tags"],
            answer["scores"],
            answer["length"],
            strict=True,
        )
        return [
            [TaggedWord(*item) for item in zip(w, t, s, strict=True)][:length]
            for w, t, s, length in rows
        ]

    def _with_retries(self, call: Callable[[float], Any], end: float) -> Any:
        wait = _FIRST_WAIT
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise ServerError(
                    "DEADLINE_EXCEEDED",
                    f"{self.server} did not answer within {self.timeout} s.",
                )
            try:
                return call(left)
            except ServerError as error:
                pause = wait * random.uniform(0.5, 1.5)
                if error.code != _RETRIED or time.monotonic() + pause >= end:
                    raise
            time.sleep(pause)
            wait = min(2 * wait, _LONGEST_WAIT)


def _batch(texts: Sequence[str | bytes]) -> list[str | bytes]:
    """A list of texts; a single string would be taken for its characters."""
    if isinstance(texts, (str, bytes)):
        raise CallerError(
            "INVALID_ARGUMENT",
            f"Texts must be a list of strings. Received: {texts!r:.80}.",
        )
    return list(texts)


def _check_rows(name: str, value: Any, rows: int) -> None:
    if not isinstance(value, list) or len(value) != rows:
        found = len(value) if isinstance(value, list) else repr(value)
        raise ServerError(
            "INTERNAL",
            f"Output {name!r} must have one row per example. Received: "
            f"{found}; sent: {rows}.",
        )
