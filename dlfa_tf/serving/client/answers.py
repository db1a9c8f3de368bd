"""What a server answers, looked at before it is handed on.

An answer of another form is the server's error, whoever stands behind the
address: never a KeyError or a shorter list.
"""

import contextlib
from collections.abc import Iterator
from collections.abc import Mapping
from numbers import Real
from typing import Any

from dlfa_tf.serving.client.errors import ServerError

_WRONG = (LookupError, TypeError, ValueError, AttributeError)


@contextlib.contextmanager
def of_this_form(answer: Any) -> Iterator[None]:
    """Turns what an answer of another form leads to into ServerError."""
    try:
        yield
    except _WRONG as error:
        raise ServerError(
            "INTERNAL",
            "the answer has not the form of TensorFlow Serving's or of an "
            f"export's ({type(error).__name__}: {error}). Received: "
            f"{answer!r:.200}.",
        ) from error


def tagged_rows(
    answer: Mapping[str, Any],
) -> list[list[tuple[str, str, float]]]:
    """Words, tags and scores of every row, without padding."""
    with of_this_form(answer):
        rows = zip(
            answer["words"],
            answer["tags"],
            answer["scores"],
            answer["length"],
            strict=True,
        )
        return [_tagged(*row) for row in rows]


def _tagged(
    words: Any, tags: Any, scores: Any, length: Any
) -> list[tuple[str, str, float]]:
    found = list(zip(words, tags, scores, strict=True))
    # The slice takes no other than whole numbers.
    if not 0 <= length <= len(found):
        raise ValueError(f"length {length!r} of {len(found)} words")
    for word, tag, score in found[:length]:
        _check(word, str)
        _check(tag, str)
        _check(score, Real)
    return found[:length]


def labels(answer: Mapping[str, Any]) -> list[tuple[str, list[float]]]:
    """Label and probabilities of every row."""
    with of_this_form(answer):
        found = list(zip(answer["label"], answer["probabilities"], strict=True))
        for label, probabilities in found:
            _check(label, str)
            _check_numbers(probabilities)
        return found


def vectors(answer: Mapping[str, Any], name: str) -> list[list[float]]:
    """One vector of every row."""
    with of_this_form(answer):
        for row in answer[name]:
            _check_numbers(row)
        return answer[name]


def _check_numbers(values: Any) -> None:
    _check(values, list)
    for value in values:
        _check(value, Real)


def _check(value: Any, kind: type) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r:.80} is no {kind.__name__}")
