"""Requests that the model server plays before it calls a version available.

Without them a version that cannot answer replaces one that can, and the first
callers wait for the graph to be optimised. TensorFlow optimises per signature
and oneDNN per shape, so every signature is asked with one, a middle and the
largest number of texts, short and as long as a row of the encoder.
"""

import os
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from dlfa_tf.lazy import tf
from dlfa_tf.serving.contract import SIGNATURES
from dlfa_tf.serving.contract import WARMUP

# Signature and its inputs: object arrays of bytes.
Request = tuple[str, dict[str, np.ndarray]]

# Capitals and several scripts: some builds of the server lacked the Unicode
# data that normalisers need (tensorflow/text issue 281).
_SHORT = "GRÜSSE aus İstanbul , 東京 !"
_SENTENCE = (
    "The Straße in ÅRHUS , Πρωινή ΕΦΗΜΕΡΊΔΑ , Вечерняя МОСКВА , "
    "東京タワー の 夜 , नमस्ते दुनिया , "
    "مرحبا بالعالم , ภาษาไทย , Cafe\u0301 \U0001f600 ."
)
# A text that is split into rows, or cut, in this many rows' length.
_LONG_ROWS = 3


def warmup_requests(
    kind: str, preprocessor: Any, max_batch_size: int
) -> Iterator[Request]:
    """Yields the warm-up requests of a model, up to `max_batch_size` texts.

    Each is a signature's name and its inputs, arrays of bytes of shape
    `(batch,)` or, for `words`, `(batch, words)`; the preprocessor says how
    many words fill a row.
    """
    full = _words_of_a_row(preprocessor)
    texts = [_SHORT.split(), full]
    sizes = sorted({1, max(1, max_batch_size // 4), max_batch_size})
    shapes = [(words, size) for words in texts for size in sizes]
    shapes.append((full * _LONG_ROWS, 1))
    for name, signature in SIGNATURES[kind].items():
        for words, size in shapes:
            inputs = {}
            for key, field in signature.inputs.items():
                value = words if field.rank == 2 else " ".join(words)
                inputs[key] = as_strings([value] * size, field.rank)
            yield name, inputs


def _words_of_a_row(preprocessor: Any) -> list[str]:
    """As many words as fit one row of `sequence_length` pieces."""
    words = _SENTENCE.split() * preprocessor.sequence_length
    pieces = preprocessor.pieces.tokenize(
        tf.constant(words[: preprocessor.sequence_length])
    )
    # A word without pieces becomes one unknown piece.
    ends = np.cumsum(np.maximum(pieces.row_lengths().numpy(), 1))
    fitting = np.searchsorted(ends, preprocessor.sequence_length - 2, "right")
    return words[: max(1, int(fitting))]


def as_strings(value: Any, rank: int | None = None) -> np.ndarray:
    """Makes an object array of bytes of nested lists of strings.

    `rank` is the number of dimensions to make up where a list is empty.
    """
    array = np.asarray(value, dtype=object)
    if rank is not None and array.size == 0:
        array = np.zeros(array.shape + (0,) * (rank - array.ndim), object)
    encoded = [x if isinstance(x, bytes) else x.encode() for x in array.flat]
    result = np.empty(array.shape, dtype=object)
    result.flat[:] = encoded
    return result


def write_warmup(
    folder: str | os.PathLike, name: str, requests: Iterable[Request]
) -> int:
    """Writes `warmup_requests` as an export's records; returns their number.

    `name` is the model's in the server.
    """
    from tensorflow_serving.apis import predict_pb2
    from tensorflow_serving.apis import prediction_log_pb2

    path = pathlib.Path(folder) / WARMUP
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for key, value in inputs.items():
                tensor = tf.make_tensor_proto(value, tf.string, value.shape)
                request.inputs[key].CopyFrom(tensor)
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
            count += 1
    return count


def read_warmup(folder: str | os.PathLike) -> list[Request]:
    """Reads the warm-up records of an export.

    FileNotFoundError when there are none, ValueError when the file is damaged,
    or a record is no Predict request; the server refuses others.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    path = pathlib.Path(folder) / WARMUP
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist.")
    requests: list[Request] = []
    try:
        records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        logs = list(map(prediction_log_pb2.PredictionLog.FromString, records))
    except (tf.errors.OpError, DecodeError) as error:
        raise ValueError(
            f"{path} is damaged: {error}. Accepted: a TFRecord file of "
            "PredictionLog, as `trainers.export` writes it."
        ) from None
    for number, log in enumerate(logs, start=1):
        kind = log.WhichOneof("log_type")
        if kind != "predict_log":
            raise ValueError(
                f"Warm-up record {number} is no Predict request. Received: "
                f"{kind}."
            )
        request = log.predict_log.request
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        name = request.model_spec.signature_name
        requests.append((name, inputs))
    return requests
