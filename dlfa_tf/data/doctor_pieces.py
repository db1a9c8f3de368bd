"""What a tokenizer makes of the words of some data."""

import collections
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlfa_tf import words
from dlfa_tf.data import readers
from dlfa_tf.data.readers import Examples
from dlfa_tf.data.readers import PairExample
from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing import piece_tokenizer

# Examples of a file that are looked at, and words in one call.
MOST_EXAMPLES = 2000
_CHUNK = 20_000


def piece_counter(
    tokenizer: Any, sequence_length: int
) -> Callable[[Examples], dict[str, float]]:
    """Returns what counts the pieces of examples, for `check_data`.

    It gives, of at most `MOST_EXAMPLES` examples from the start, `words`,
    `pieces_per_word`, `unknown_words` (the share of words with a piece that
    the vocabulary does not have) and `long_items` (the share of items with more
    pieces than a row of `sequence_length` holds, special ones included).
    """
    pieces = piece_tokenizer.build_piece_tokenizer(tokenizer)
    separators = len(pieces.pair_separator)
    known: dict[str, tuple[int, bool]] = {}

    def look_up(found: Sequence[str]) -> None:
        new = [x for x in dict.fromkeys(found) if x not in known]
        for start in range(0, len(new), _CHUNK):
            part = new[start : start + _CHUNK]
            ids = pieces.tokenize(tf.constant(part))
            lengths = ids.row_lengths().numpy()
            has_unknown = tf.reduce_any(ids == pieces.unk_id, axis=1).numpy()
            # A word without pieces becomes an unknown one.
            for word, length, unknown in zip(
                part, lengths, has_unknown, strict=True
            ):
                known[word] = (max(int(length), 1), bool(unknown or not length))

    def count(examples: Examples) -> dict[str, float]:
        chosen = examples[:MOST_EXAMPLES]
        split = [_words(example) for example in chosen]
        counts = collections.Counter(x for found in split for x in found)
        look_up(list(counts))
        total = sum(counts.values())
        room = sequence_length - 2
        if chosen and isinstance(chosen[0], PairExample):
            room -= separators
        sizes = np.array([sum(known[x][0] for x in found) for found in split])
        return {
            "words": float(total),
            "pieces_per_word": sum(n * known[x][0] for x, n in counts.items())
            / max(total, 1),
            "unknown_words": sum(n * known[x][1] for x, n in counts.items())
            / max(total, 1),
            "long_items": float((sizes > room).mean()) if len(sizes) else 0.0,
        }

    return count


def _words(example: Any) -> list[str]:
    return [
        word
        for text in readers.texts_of(example)
        for word in words.split_words(text)
    ]
