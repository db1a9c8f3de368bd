"""What labels the lines of `predict`: a server, an export, or a saved model."""

import pathlib
import re
from collections.abc import Sequence
from typing import Any

from dlfa_tf.serving.client import Classification
from dlfa_tf.serving.client import Client
from dlfa_tf.serving.client import TaggedWord

_CERTIFICATE = re.compile(rb"^-----BEGIN CERTIFICATE-----\r?$", re.MULTILINE)


def open_server(
    server: str,
    name: str,
    timeout: float,
    batch_size: int,
    ca_file: str | None = None,
) -> tuple[Client, str]:
    """Returns a client of a model server and the kind of its model.

    `timeout` is in seconds, `batch_size` counts examples per request;
    `ca_file`, for TLS over gRPC, is the PEM file of the authority behind the
    server's certificate. OSError when it cannot be read, ValueError when it
    holds no certificate; ServingError when the server does not say what it
    serves, ValueError when that is neither tagger nor classifier.
    """
    credentials = None
    if ca_file is not None:
        import grpc

        content = pathlib.Path(ca_file).read_bytes()
        # gRPC takes anything, and then finds no server.
        if b"\0" in content or not _CERTIFICATE.search(content):
            raise ValueError(
                f"`ca_file` holds no certificate. Received: {ca_file!r}, which "
                f"begins with {content[:40]!r}. Accepted: a PEM file with a "
                "line -----BEGIN CERTIFICATE-----."
            )
        credentials = grpc.ssl_channel_credentials(content)
    client = Client(
        server,
        name,
        timeout=timeout,
        max_batch_size=batch_size,
        credentials=credentials,
    )
    return client, client.kind


def open_model(folder: str, batch_size: int) -> tuple[Any, str]:
    """Returns a labeller of an export, a run or a preset, and its kind.

    FileNotFoundError when the folder holds none of them.
    """
    # Not at the top: asking a server needs no TensorFlow.
    from dlfa_tf.serving.client import graph_transport

    export = (
        graph_transport.find_export(folder)
        if pathlib.Path(folder).is_dir()
        else None
    )
    if export is not None:
        client = Client.of_export(export, max_batch_size=batch_size)
        return client, client.kind
    from dlfa_tf.runs import load
    from dlfa_tf.serving.export import export_module

    model = load.load_model(folder)
    return ModelLabeller(model, batch_size), export_module.kind_of(model)


class ModelLabeller:
    """A Keras model with the methods of the client."""

    def __init__(self, model: Any, batch_size: int) -> None:
        self._model = model
        self._batch_size = batch_size

    def close(self) -> None:
        """Has nothing to close."""

    def tag(self, texts: Sequence[Any]) -> list[list[TaggedWord]]:
        """Tags texts split at white space."""
        words = self._model.preprocessor.as_words(list(texts)).to_list()
        return self.tag_words([[w.decode() for w in row] for row in words])

    def tag_words(self, sentences: Sequence[Any]) -> list[list[TaggedWord]]:
        """Tags lists of words."""
        filled = [list(words) for words in sentences if words]
        rows = iter(self._probabilities(filled) if filled else ())
        labels = self._model.labels
        return [
            [
                TaggedWord(word, labels[odds.argmax()], float(odds.max()))
                for word, odds in zip(words, next(rows), strict=False)
            ]
            if words
            else []
            for words in sentences
        ]

    def classify(
        self, first: Sequence[Any], second: Sequence[Any] | None = None
    ) -> list[Classification]:
        """Classifies texts, or pairs of texts."""
        if not first:
            return []
        labels = self._model.labels
        inputs = list(first) if second is None else (list(first), list(second))
        return [
            Classification(labels[odds.argmax()], odds.tolist())
            for odds in self._probabilities(inputs)
        ]

    def _probabilities(self, inputs: Any) -> Any:
        import keras

        logits = self._model.predict(
            inputs, batch_size=self._batch_size, verbose=0
        )
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits))
