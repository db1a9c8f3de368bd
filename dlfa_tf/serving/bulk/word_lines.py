"""A word per line to a word and its tag per line.

Sentences end at empty lines. Of a line the word alone is read: other columns,
such as gold tags, are left out of the answer. The forms:

- `tsv`, the benchmark's own: columns separated by TABs, the word in the first.
- `conll`: the same, or separated by spaces, with comments and `-DOCSTART-`.
- `conllu`: the columns of CoNLL-U. A multiword token is one word, as in the
  benchmark; lines of its members and of empty nodes have no answer.

There is one line out per line in but for the lines just named; comments come
back as they are.
"""

import itertools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from dlfa_tf import words
from dlfa_tf.serving.bulk import lines
from dlfa_tf.serving.bulk.lines import Labeller

WORD_FORMS = ("tsv", "conll", "conllu")
_SHOWN = 80
_CONLLU_COLUMNS = 10


class _Line(NamedTuple):
    """What a line says: a word, or what to answer without one.

    `answer` is None where no line answers it.
    """

    word: str = ""
    answer: str | None = ""


# Most empty lines are nothing else, and need no look at their characters.
_EMPTY_LINES = frozenset({b"\n", b"\r\n"})
_EMPTY = _Line()


def sentences(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yields the lines of every sentence, the empty one at its end included.

    Lines have their ends, as a binary file yields them.
    """
    found: list[bytes] = []
    for line in lines:
        found.append(line)
        if line in _EMPTY_LINES or words.is_blank_row(
            line.decode("utf-8", "replace")
        ):
            yield found
            found = []
    if found:
        yield found


def label_word_lines(
    labeller: Labeller,
    batch: Sequence[Sequence[bytes]],
    report: Callable[[int, str], None],
    form: str = "tsv",
) -> list[str]:
    """Tags a batch of sentences, the lines that `sentences` yields.

    Lines without ends: `word TAB tag`, and an empty one for an empty line and
    for one that cannot be read, which is left out of its sentence. For the
    latter, `report` gets index, counted over the batch, and message; it may
    raise to stop. `form` is one of `WORD_FORMS`.
    """
    asked: list[list[str]] = []
    # One for all: the collector would visit a list per empty line.
    no_words: list[str] = []
    places: list[int] = []
    answers: list[str | None] = []
    for part in batch:
        sentence: list[str] = []
        read = _reader(part, form)
        for line in part:
            found = _EMPTY if line in _EMPTY_LINES else _read_line(line, read)
            if isinstance(found, ValueError):
                report(len(answers), str(found))
                found = _EMPTY
            if found.word:
                sentence.append(found.word)
                places.append(len(answers))
            answers.append(found.answer)
        asked.append(sentence or no_words)
    tagged = labeller.tag_words(asked) if places else []
    for place, tagged_word in zip(
        places, itertools.chain.from_iterable(tagged), strict=True
    ):
        answers[place] = f"{tagged_word.word}\t{tagged_word.tag}"
    return [answer for answer in answers if answer is not None]


def _read_line(line: bytes, read: Callable[[str], _Line]) -> _Line | ValueError:
    """What a line of a sentence says, or why it cannot be read."""
    try:
        text = lines.decode_line(line)
        return _EMPTY if words.is_blank_row(text) else read(text)
    except ValueError as error:
        return error


def _reader(part: Sequence[bytes], form: str) -> Callable[[str], _Line]:
    if form == "conll":
        return _ConllReader(part)
    return _ConlluReader() if form == "conllu" else _read_tsv


def _read_tsv(text: str) -> _Line:
    return _Line(_word(text, text.split("\t")[0], "first"))


class _ConllReader:
    """Reads the lines of one sentence, comments before its first word."""

    def __init__(self, part: Sequence[bytes]) -> None:
        texts = [line.decode("utf-8", "replace") for line in part]
        rows = [x for x in texts if not words.is_blank_row(x)]
        first = [x for x in rows if not x.startswith("#")] or rows or [""]
        self._width = len(words.split_columns(first[0]))
        self._has_begun = False

    def __call__(self, text: str) -> _Line:
        if text.startswith(words.DOCUMENT_START):
            return _Line(answer=text)
        if not self._has_begun and words.is_comment(text, self._width):
            return _Line(answer=text)
        self._has_begun = True
        return _Line(_word(text, words.split_columns(text)[0], "first"))


class _ConlluReader:
    """Reads the lines of one sentence, members of joined words left out."""

    def __init__(self) -> None:
        self._end = 0

    def __call__(self, text: str) -> _Line:
        if text.startswith("#"):
            return _Line(answer=text)
        columns = text.split("\t")
        if len(columns) != _CONLLU_COLUMNS:
            raise ValueError(
                f"expected the {_CONLLU_COLUMNS} columns of CoNLL-U, separated "
                f"by TAB. Received: {len(columns)}: {text[:_SHOWN]!r}."
            )
        first, dash, last = columns[0].partition("-")
        if "." in first:
            return _Line(answer=None)
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(
                "expected an id such as 1, 2-3 or 2.1. Received: "
                f"{columns[0][:_SHOWN]!r}."
            )
        if dash:
            self._end = int(last)
        elif int(first) <= self._end:
            return _Line(answer=None)
        return _Line(_word(text, columns[1], "second"))


def _word(text: str, column: str, place: str) -> str:
    word = words.strip_space(column)
    if not word:
        raise ValueError(
            f"expected a word in the {place} column. Received: "
            f"{text[:_SHOWN]!r}."
        )
    return word
