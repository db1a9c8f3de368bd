"""Asks a model server; needs neither TensorFlow nor Keras nor NumPy."""

import functools
import os
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from dlfa_tf import checks
from dlfa_tf.serving.client import answers
from dlfa_tf.serving.client import arguments
from dlfa_tf.serving.client import no_examples
from dlfa_tf.serving.client import retries
from dlfa_tf.serving.client.errors import InputError
from dlfa_tf.serving.client.errors import ServerError
from dlfa_tf.serving.contract import DEFAULT_SIGNATURE
from dlfa_tf.serving.contract import MAX_BATCH_SIZE
from dlfa_tf.serving.contract import SIGNATURES

# Address of an export in this process.
_FILE = "file:"
# Words per row of a `tag_words` request, doubled while there is a longer one:
# a server that joins requests to batches joins those of one width only.
_ROW_WORDS = 128


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
    `max_batch_size` are sent in parts, empty ones not at all. A request that
    meets an unavailable or busy server, or the wrong neighbours in a batch, is
    sent again, with growing random pauses, until the deadline; no other error
    is retried. Texts come as `str` or UTF-8 `bytes` in a list, an array, a
    column of a table, a tensor or a generator.

    Args:
        server: str, `HOST:PORT` for gRPC, `http://HOST:PORT` for REST; see
            `of_export` for an export without a server.
        model: str, the model's name in the server.
        version: Optional int. Defaults to what the server serves.
        label: Optional str, a version's label instead of its number.
        timeout: float, seconds that a call may take, retries and parts
            included. Defaults to `30`.
        max_batch_size: int, examples per request. Defaults to `32`, which
            exports are warmed up for.
        credentials: Optional `grpc.ChannelCredentials`, for TLS over gRPC.

    Raises:
        ValueError: when both `version` and `label` are given, a number is
            out of its range, an address is of another form, or `credentials`
            come with one of REST.
        TypeError: when an argument is of another type.

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
        arguments.check_names(server, model, version, label)
        checks.check_positive_number("timeout", timeout)
        checks.check_positive_number("max_batch_size", max_batch_size)
        if max_batch_size != int(max_batch_size):
            raise ValueError(
                f"`max_batch_size` must be whole. Received: {max_batch_size}."
            )
        self.server = server
        self.timeout = timeout
        self.max_batch_size = int(max_batch_size)
        self._spec = {"name": model, "version": version, "label": label}
        self._transport = _connect(server, credentials)

    @classmethod
    def of_export(
        cls,
        folder: str | os.PathLike,
        *,
        max_batch_size: int = MAX_BATCH_SIZE,
    ) -> "Client":
        """Returns a client of an export in this process, without a server.

        Needs TensorFlow and TensorFlow Text; knows no deadline.

        Args:
            folder: a version's folder, such as `saved_models/pos/1`, or that
                of the model, `saved_models/pos`, for its highest version.
            max_batch_size: int, examples per run of the graph.

        Raises:
            FileNotFoundError: when there is no export.
            ValueError: when it is damaged.
        """
        # Not at the top: asking a server needs no TensorFlow.
        from dlfa_tf.serving.client import graph_transport

        found = graph_transport.find_export(folder)
        if found is None:
            raise FileNotFoundError(
                f"`folder` holds no export. Received: {str(folder)!r}. "
                "Accepted: a version's folder, such as saved_models/pos/1, or "
                "the folder of the model."
            )
        name = str(found)
        return cls(f"{_FILE}{name}", name, max_batch_size=max_batch_size)

    @property
    def kind(self) -> str:
        """What the model is, by the inputs and outputs that it has.

        `"tagger"`, `"classifier"` (of pairs) or `"single_classifier"`.

        Raises:
            ServerError, CallerError: when the model cannot be asked.
            ValueError: when the model is neither.
        """
        inputs, outputs = self.signatures().get(DEFAULT_SIGNATURE, ((), ()))
        for kind, signatures in SIGNATURES.items():
            declared = signatures[DEFAULT_SIGNATURE]
            if set(inputs) == set(declared.inputs) and (
                set(outputs) == set(declared.outputs)
            ):
                return kind
        raise ValueError(
            f"The model is neither a tagger nor a classifier. Received: "
            f"inputs {list(inputs)} and outputs {list(outputs)} of signature "
            f"{DEFAULT_SIGNATURE!r}."
        )

    def tag(self, texts: Sequence[str | bytes]) -> list[list[TaggedWord]]:
        """Tags texts, which the model splits at white space.

        Args:
            texts: list of strings.

        Returns:
            One list of `TaggedWord`s per text.

        Raises:
            CallerError, ServerError: see `predict`.
        """
        inputs = {"text": arguments.texts("texts", texts)}
        return self._tag(DEFAULT_SIGNATURE, inputs) if inputs["text"] else []

    def tag_words(
        self, sentences: Sequence[Sequence[str | bytes]]
    ) -> list[list[TaggedWord]]:
        """Tags sentences that are already split into words, each by itself.

        Args:
            sentences: list of lists of strings.

        Returns:
            One list of `TaggedWord`s per sentence, one for each word.

        Raises:
            CallerError, ServerError: see `predict`.
        """
        rows = arguments.sentences("sentences", sentences)
        longest = max(map(len, rows), default=0)
        if longest == 0:
            return [[] for _ in rows]
        width = _ROW_WORDS
        while width < longest:
            width *= 2
        # An empty word at the end of a row is padding, white space is not.
        padded = [
            [*(word or " " for word in row), *[""] * (width - len(row))]
            for row in rows
        ]
        tagged = self._tag("tag_words", {"words": padded})
        return [
            _with_words(row, answer)
            for row, answer in zip(rows, tagged, strict=True)
        ]

    def classify(
        self,
        first: Sequence[str | bytes],
        second: Sequence[str | bytes] | None = None,
    ) -> list[Classification]:
        """Classifies texts, or pairs of texts: `first[i]` with `second[i]`.

        Args:
            first: list of strings.
            second: list of strings, as many, for a model of pairs. Defaults
                to `None`, for a model that was trained on single texts.

        Returns:
            One `Classification` per text or pair.

        Raises:
            CallerError, ServerError: see `predict`; the former, too, where
                the model takes the other of the two.
        """
        inputs = _texts_or_pairs(first, second)
        if not any(inputs.values()):
            return []
        found = answers.labels(self.predict(inputs))
        return [Classification(*row) for row in found]

    def embed(
        self,
        first: Sequence[str | bytes],
        second: Sequence[str | bytes] | None = None,
    ) -> list[list[float]]:
        """Returns the fused vectors of texts, or of pairs for such a model."""
        inputs = _texts_or_pairs(first, second)
        if not any(inputs.values()):
            return []
        name = "embedding"
        return answers.vectors(self.predict(inputs, "embed", [name]), name)

    def predict(
        self,
        inputs: Mapping[str, Sequence[Any]],
        signature: str = DEFAULT_SIGNATURE,
        outputs: Sequence[str] = (),
    ) -> dict[str, list[Any]]:
        """Asks any signature.

        No examples are answered without a run of the model: a server that
        joins requests to batches does not answer them, and they can end it.

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
                shape); sending it again is useless. An argument that is
                wrong by itself raises `InputError`, a CallerError and a
                TypeError and a ValueError, before anything is sent.
            ServerError: when the server fails, is not there or is too slow.
        """
        if not isinstance(inputs, Mapping):
            raise InputError(
                f"`inputs` goes from names to lists. Received: {inputs!r:.80} "
                f"of type {type(inputs).__name__}. Accepted: a dict."
            )
        lists = {
            name: arguments.tensor(f"inputs[{name!r}]", value)
            for name, value in inputs.items()
        }
        lengths = {name: len(value) for name, value in lists.items()}
        if len(set(lengths.values())) != 1:
            raise InputError(
                f"`inputs` must be of one length. Received: {lengths}."
            )
        wanted = arguments.names("outputs", outputs)
        count = next(iter(lengths.values()))
        if count == 0:
            return no_examples.answer(
                self.signatures(), lists, signature, wanted
            )
        end = time.monotonic() + self.timeout
        spec = {**self._spec, "signature": signature}
        merged: dict[str, list[Any]] = {}
        for start in range(0, count, self.max_batch_size):
            part = slice(start, start + self.max_batch_size)
            sent = {name: value[part] for name, value in lists.items()}
            call = functools.partial(
                self._transport.predict, spec, sent, wanted
            )
            answer = retries.with_retries(call, end, self.server)
            rows = min(self.max_batch_size, count - start)
            for name, value in answer.items():
                _check_rows(name, value, rows)
                merged.setdefault(name, []).extend(value)
        return merged

    def status(self) -> dict[int, tuple[str, str]]:
        """Returns state and error message of every version of the model.

        A version with warm-up records that is `"AVAILABLE"` can answer.
        """
        return self._ask_about(self._transport.status)

    def signatures(self) -> dict[str, tuple[list[str], list[str]]]:
        """Returns the names of inputs and outputs of every signature."""
        found = self._ask_about(self._transport.signatures)
        return {k: v for k, v in found.items() if not k.startswith("__")}

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _ask_about(self, call: Any) -> Any:
        end = time.monotonic() + self.timeout
        return retries.with_retries(
            functools.partial(call, self._spec), end, self.server
        )

    def _tag(
        self, signature: str, inputs: Mapping[str, list[Any]]
    ) -> list[list[TaggedWord]]:
        return [
            [TaggedWord(*word) for word in row]
            for row in answers.tagged_rows(self.predict(inputs, signature))
        ]


def _connect(server: str, credentials: Any) -> Any:
    """The transport of an address; imports only what that one needs."""
    if server.startswith(("http://", "https://")):
        if credentials is not None:
            raise ValueError(
                "`credentials` are for gRPC. Received: some, with the address "
                f"{server!r}. Accepted: HOST:PORT; https:// takes the "
                "authorities of the system, or of SSL_CERT_FILE."
            )
        from dlfa_tf.serving.client.rest_transport import RestTransport

        return RestTransport(server)
    if server.startswith(_FILE):
        from dlfa_tf.serving.client.graph_transport import GraphTransport

        return GraphTransport(server.removeprefix(_FILE))
    if ":" not in server:
        raise ValueError(
            f"`server` has no port. Received: {server!r}. Accepted: HOST:PORT "
            "for gRPC, http://HOST:PORT for REST."
        )
    from dlfa_tf.serving.client.grpc_transport import GrpcTransport

    return GrpcTransport(server, credentials)


def _texts_or_pairs(
    first: Sequence[str | bytes], second: Sequence[str | bytes] | None
) -> dict[str, list[str | bytes]]:
    """Inputs of a signature that takes texts, or pairs of them."""
    if second is None:
        return {"text": arguments.texts("first", first)}
    return _pairs(first, second)


def _pairs(first: Any, second: Any) -> dict[str, list[str | bytes]]:
    inputs = {
        "first": arguments.texts("first", first),
        "second": arguments.texts("second", second),
    }
    arguments.same_length(**inputs)
    return inputs


def _with_words(
    words: Sequence[str | bytes], tagged: list[TaggedWord]
) -> list[TaggedWord]:
    """The answer for a sentence, with its words as they were given."""
    if len(tagged) != len(words):
        raise ServerError(
            "INTERNAL",
            f"Every word must have a tag. Received: {len(tagged)} tags; sent: "
            f"{len(words)} words, {list(words)!r:.80}.",
        )
    return [
        found._replace(word=_decoded(word))
        for word, found in zip(words, tagged, strict=True)
    ]


def _decoded(word: str | bytes) -> str:
    return word.decode("utf-8") if isinstance(word, bytes) else word


def _check_rows(name: str, value: Any, rows: int) -> None:
    if not isinstance(value, list) or len(value) != rows:
        found = len(value) if isinstance(value, list) else repr(value)
        raise ServerError(
            "INTERNAL",
            f"Output {name!r} must have one row per example. Received: "
            f"{found}; sent: {rows}.",
        )
