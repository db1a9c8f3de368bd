"""A word per line to a word and its tag per line: the benchmark's own form.

Sentences end at empty lines. The word is the first of the columns, which TABs
separate; the others, such as gold tags, are left out of the answer. There is
one line out per line in.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from dlfa_tf.serving.bulk import lines
from dlfa_tf.serving.bulk.lines import Labeller


def sentences(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yields the lines of every sentence, the empty one at its end included.

    Lines have their ends, as a binary file yields them.
    """
    found: list[bytes] = []
    for line in lines:
        found.append(line)
        if not line.strip():
            yield found
            found = []
    if found:
        yield found


def label_word_lines(
    labeller: Labeller,
    batch: Sequence[Sequence[bytes]],
    report: Callable[[int, str], None],
) -> list[str]:
    """Tags a batch of sentences, the lines that `sentences` yields.

    One line per line, without ends: `word TAB tag`, and an empty one for an
    empty line and for one that cannot be read, which is left out of its
    sentence. For the latter, `report` gets index, counted over the batch, and
    message; it may raise to stop.
    """
    words: list[list[str]] = []
    places: list[list[int]] = []
    count = 0
    for part in batch:
        words.append([])
        places.append([])
        for line in part:
            try:
                word = _read_word(line)
            except ValueError as error:
                report(count, str(error))
                word = ""
            if word:
                words[-1].append(word)
                places[-1].append(count)
            count += 1
    answers = [""] * count
    tagged = labeller.tag_words(words) if any(words) else []
    for at, sentence in zip(places, tagged, strict=False):
        for place, tagged_word in zip(at, sentence, strict=True):
            answers[place] = f"{tagged_word.word}\t{tagged_word.tag}"
    return answers


def _read_word(line: bytes) -> str:
    """The word of a line, "" of an empty line."""
    text = lines.decode_line(line)
    if not text.strip():
        return ""
    word = text.split("\t")[0].strip()
    if not word:
        raise ValueError(
            f"expected a word in the first column. Received: {text[:80]!r}."
        )
    return word
