"""Lines of text to examples, answers to lines: one line out per line in.

Two forms. `lines`: a tagger reads a text per line and writes `word/TAG
word/TAG`; a classifier reads a text, or `first TAB second` where it is one of
pairs, and writes `label TAB probability`. `jsonl`: a JSON object per line with
`text` or `words` (tagger), `text` (classifier) or `first` and `second` (of
pairs); other keys come back with the answer, under
`input` where an answer has a key of that name itself.
"""

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import Protocol

from dlfa_tf import words
from dlfa_tf.serving.client import Classification
from dlfa_tf.serving.client import TaggedWord

FORMS = ("lines", "jsonl")
_SHOWN = 80
# Keys with a meaning of their own in every line that is written.
_OWN_KEYS = frozenset({"error", "input"})


class Labeller(Protocol):
    """Whatever labels texts: `Client`, or a model in this process."""

    def tag(self, texts: Sequence[Any]) -> list[list[TaggedWord]]:
        """Tags texts split at white space."""

    def tag_words(self, sentences: Sequence[Any]) -> list[list[TaggedWord]]:
        """Tags lists of words."""

    def classify(
        self, first: Sequence[Any], second: Sequence[Any] | None = None
    ) -> list[Classification]:
        """Classifies texts, or pairs of texts."""


class Example(NamedTuple):
    """What a line holds: a text, or words, or a pair; and what to hand back."""

    value: Any
    rest: dict[str, Any]


def label_lines(
    labeller: Labeller,
    kind: str,
    form: str,
    lines: Iterable[bytes],
    report: Callable[[int, str], None],
    offsets: Sequence[int] | None = None,
) -> list[str]:
    """Labels a batch of lines, with or without their ends, one line for each.

    For a line that cannot be read, `report` gets index and message and may
    raise to stop; the answer is an empty line, or an object with the key
    `error`. `offsets`, the bytes before each line, become a first column or
    the key `offset`.
    """
    examples: list[Example | str] = []
    for index, line in enumerate(lines):
        try:
            examples.append(read_line(line, kind, form))
        except ValueError as error:
            report(index, str(error))
            examples.append(str(error))
    good = [x for x in examples if isinstance(x, Example)]
    answers = iter(_label(labeller, kind, [x.value for x in good]))
    places: Sequence[int | None] = offsets or [None] * len(examples)
    return [
        _write(x, next(answers) if isinstance(x, Example) else None, form, at)
        for x, at in zip(examples, places, strict=True)
    ]


def read_line(line: bytes, kind: str, form: str) -> Example:
    """Reads one example; ValueError when the line is not of the form."""
    text = decode_line(line)
    if form == "jsonl":
        return _read_object(text, kind)
    if kind == "tagger":
        return Example(text, {})
    columns = words.split_tabs(text)
    if kind == "single_classifier":
        if len(columns) == 1:
            return Example(text, {})
        raise ValueError(
            "expected one text, without TAB: the model was trained on single "
            f"texts. Received: {len(columns)} column(s): {text[:_SHOWN]!r}. "
            'Accepted, for a text with TABs: JSON lines, {"text": "..."}.'
        )
    if len(columns) != 2:
        raise ValueError(
            "expected two texts separated by TAB. Received: "
            f"{len(columns)} column(s): {text[:_SHOWN]!r}."
        )
    return Example(tuple(columns), {})


def decode_line(line: bytes) -> str:
    """The text of a line without its end; ValueError when it is no UTF-8."""
    try:
        return words.decode_line(line)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected UTF-8. Received: byte {error.object[error.start]:#04x} "
            f"at position {error.start}."
        ) from None


def _read_object(text: str, kind: str) -> Example:
    found = _read_json(text)
    keys = ("first", "second") if kind == "classifier" else ("text",)
    value: Any = None
    if isinstance(found, dict):
        if kind == "tagger" and "words" in found:
            keys = ("words",)
        values = [found.get(key) for key in keys]
        if keys == ("words",) and _all_strings(values[0]):
            value = values[0]
        elif keys != ("words",) and _all_strings(values):
            value = values[0] if len(values) == 1 else tuple(values)
    if value is None:
        wanted = {
            "tagger": '{"text": "..."} or {"words": ["...", ...]}',
            "single_classifier": '{"text": "..."}',
            "classifier": '{"first": "...", "second": "..."}',
        }[kind]
        raise ValueError(
            f"expected an object like {wanted}. Received: {text[:_SHOWN]!r}."
        )
    return Example(value, {k: v for k, v in found.items() if k not in keys})


def _read_json(text: str) -> Any:
    """What a line of JSON holds, all of which can be written again.

    ValueError when the line is no JSON, is nested too deeply for the parser,
    or escapes half a surrogate pair, which JSON allows and UTF-8 does not.
    """
    try:
        found = json.loads(text)
        # Keys that only come back with the answer are written, too.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start : error.start + 1]
        raise ValueError(
            "expected text that UTF-8 can hold. Received: half a surrogate "
            f"pair, {half!a}: {text[:_SHOWN]!r}. Accepted: both halves, or "
            "the character itself."
        ) from None
    except RecursionError:
        raise ValueError(
            "expected JSON that is nested less deeply. Received: "
            f"{text[:_SHOWN]!r}. Accepted: some hundred levels."
        ) from None
    except ValueError as error:
        raise ValueError(f"expected JSON: {error}.") from None
    return found


def _all_strings(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(x, str) for x in values)


def _label(labeller: Labeller, kind: str, values: list[Any]) -> list[Any]:
    if kind == "single_classifier":
        return list(labeller.classify(values)) if values else []
    if kind == "classifier":
        first = [value[0] for value in values]
        second = [value[1] for value in values]
        return list(labeller.classify(first, second))
    texts = [value for value in values if isinstance(value, str)]
    words = [value for value in values if not isinstance(value, str)]
    tagged = iter(labeller.tag(texts) if texts else [])
    tagged_words = iter(labeller.tag_words(words) if words else [])
    return [
        next(tagged if isinstance(value, str) else tagged_words)
        for value in values
    ]


def _write(
    example: Example | str, answer: Any, form: str, offset: int | None
) -> str:
    if form == "jsonl":
        place = {} if offset is None else {"offset": offset}
        found = _object(example, answer, place)
        return json.dumps(found, ensure_ascii=False)
    text = "" if isinstance(example, str) else _columns(answer)
    return text if offset is None else f"{offset}\t{text}"


def _columns(answer: Any) -> str:
    if isinstance(answer, Classification):
        return f"{answer.label}\t{max(answer.probabilities):.4f}"
    return " ".join(f"{word.word}/{word.tag}" for word in answer)


def _object(
    example: Example | str, answer: Any, place: dict[str, Any]
) -> dict[str, Any]:
    if isinstance(example, str):
        return {**place, "error": example}
    if isinstance(answer, Classification):
        said = answer._asdict()
    else:
        said = {
            "words": [word.word for word in answer],
            "tags": [word.tag for word in answer],
            "scores": [word.score for word in answer],
        }
    # Such as gold labels: neither they nor the answer may get lost.
    taken = _OWN_KEYS | said.keys() | place.keys()
    aside = {k: v for k, v in example.rest.items() if k in taken}
    rest = {k: v for k, v in example.rest.items() if k not in taken}
    return {**place, **rest, **said, **({"input": aside} if aside else {})}
