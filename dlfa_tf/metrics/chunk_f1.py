"""Chunk F1 of tag sequences: NER as seqeval has it, POS as XTREME has it."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np

Tags = Sequence[Sequence[str]]


def pos_f1(gold: Tags, predicted: Tags) -> dict[str, float]:
    """Scores POS tags by chunks, as XTREME's leaderboard does.

    A run of equal adjacent tags is ONE chunk whose type is the whole tag; a
    tag whose first letter is S (SCONJ, SYM) never merges with its neighbours.
    A chunk counts when its type, start and end all agree. This is the rule of
    seqeval 0.0.12, the version that reproduces XTREME's own expected scores;
    seqeval 1.2.2 cuts the first letter off every tag, so that CCONJ and SCONJ
    become one type, and must not be used here.

    Args:
        gold: one list of UPOS tags per sentence.
        predicted: the same, equally long.

    Returns:
        dict of `f1`, `precision`, `recall`, in percent, micro-averaged over
        all chunks; 0 where there are no chunks.

    Raises:
        ValueError: when the numbers of sentences or of tags differ.

    Example:
        dlfa_tf.metrics.pos_f1([["NOUN", "NOUN"]], [["NOUN", "VERB"]])["f1"]
    """
    return _scores(pos_counts(gold, predicted))


def ner_f1(gold: Tags, predicted: Tags) -> dict[str, float]:
    """Scores IOB2 entity tags by entities, with seqeval's default rules.

    Args:
        gold: one list of tags (`O`, `B-PER`, `I-PER`, ...) per sentence.
        predicted: the same, equally long.

    Returns:
        dict of `f1`, `precision`, `recall`, in percent, micro-averaged over
        all entities; 0 where there are none.

    Raises:
        ValueError: when the numbers of sentences or of tags differ.

    Example:
        dlfa_tf.metrics.ner_f1([["B-PER", "O"]], [["B-PER", "O"]])["f1"]
    """
    return _scores(ner_counts(gold, predicted))


def pos_counts(gold: Tags, predicted: Tags) -> np.ndarray:
    """Counts behind `pos_f1`, sentence by sentence.

    Args:
        gold: one list of UPOS tags per sentence.
        predicted: the same, equally long.

    Returns:
        int64 array `(sentences, 3)`: right, gold and predicted chunks.

    Raises:
        ValueError: when the numbers of sentences or of tags differ.
    """
    return _counts(gold, predicted, _pos_chunks)


def ner_counts(gold: Tags, predicted: Tags) -> np.ndarray:
    """Counts behind `ner_f1`, sentence by sentence; see `pos_counts`."""
    # Not at the top: seqeval imports scikit-learn, which takes seconds.
    from seqeval.metrics.sequence_labeling import get_entities

    # seqeval takes lists only.
    return _counts(gold, predicted, lambda tags: get_entities(list(tags)))


def _counts(
    gold: Tags,
    predicted: Tags,
    chunks: Callable[[Sequence[str]], Iterable[tuple]],
) -> np.ndarray:
    _check_lengths(gold, predicted)
    rows = []
    for a, b in zip(gold, predicted, strict=True):
        expected, found = set(chunks(a)), set(chunks(b))
        rows.append((len(expected & found), len(expected), len(found)))
    return np.array(rows, np.int64).reshape(-1, 3)


def _pos_chunks(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """List of (tag, first word, last word)."""
    chunks = []
    start = 0
    for i, tag in enumerate(tags):
        last = i + 1 == len(tags)
        if last or tags[i + 1] != tag or tag.startswith("S"):
            chunks.append((tag, start, i))
            start = i + 1
    return chunks


def _check_lengths(gold: Tags, predicted: Tags) -> None:
    if len(gold) != len(predicted):
        raise ValueError(
            "`gold` and `predicted` must have equally many sentences. "
            f"Received: {len(gold)} and {len(predicted)}."
        )
    for i, (a, b) in enumerate(zip(gold, predicted, strict=True)):
        if len(a) != len(b):
            raise ValueError(
                f"Sentence {i} (counted from 0) must have equally many tags "
                "in `gold` and `predicted`. Received: "
                f"{len(a)} and {len(b)}."
            )


def _scores(counts: np.ndarray) -> dict[str, float]:
    right, gold, predicted = (int(n) for n in counts.sum(axis=0))
    return {
        "f1": 200.0 * right / (gold + predicted) if gold + predicted else 0.0,
        "precision": 100.0 * right / predicted if predicted else 0.0,
        "recall": 100.0 * right / gold if gold else 0.0,
    }
