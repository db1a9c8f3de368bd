"""Chunk F1 of tag sequences: NER as seqeval has it, POS as XTREME has it."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from dlfa_tf.metrics import chunk_counts
from dlfa_tf.metrics import given_labels
from dlfa_tf.metrics.chunk_counts import ChunkRule

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
    return scores_of(pos_counts(gold, predicted))


def ner_f1(gold: Tags, predicted: Tags) -> dict[str, float]:
    """Scores IOB2 entity tags by entities, with seqeval's default rules.

    Args:
        gold: one list of tags (`O`, `B-PER`, `I-PER`, ...) per sentence.
        predicted: the same, equally long.

    Returns:
        dict of `f1`, `precision`, `recall`, in percent, micro-averaged over
        all entities; 0 where there are none.

    Raises:
        ValueError: when the numbers of sentences or of tags differ, and for
            tags without `B-` or `I-` (seqeval warns of them, and takes their
            first letter for the prefix).
        TypeError: when a tag is no string.

    Example:
        dlfa_tf.metrics.ner_f1([["B-PER", "O"]], [["B-PER", "O"]])["f1"]
    """
    return scores_of(ner_counts(gold, predicted))


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
    return counts_of(gold, predicted, pos_rule)


def ner_counts(gold: Tags, predicted: Tags) -> np.ndarray:
    """Counts behind `ner_f1`, sentence by sentence; see `pos_counts`."""
    return counts_of(gold, predicted, ner_rule, given_labels.check_entity_tags)


def pos_rule(tags: Sequence[str]) -> ChunkRule:
    """Rule of `pos_f1`: a run of equal tags, but for those with S, is one."""

    def splits(first: str | None, second: str | None) -> bool:
        return first != second or str(first).startswith("S")

    return chunk_counts.tabulate_rule(tags, splits, splits, lambda tag: tag)


def ner_rule(tags: Sequence[str]) -> ChunkRule:
    """Rule of `ner_f1`: seqeval's own.

    ValueError for tags that are classes: the first letter of `ORG` would be
    taken for the prefix.
    """
    given_labels.check_entity_names(tags)
    return seqeval_rule(tags)


def seqeval_rule(tags: Sequence[str]) -> ChunkRule:
    """Rule of seqeval's default mode, asked about every pair of tags."""
    # Not at the top: seqeval imports scikit-learn, which takes seconds.
    from seqeval.metrics.sequence_labeling import end_of_chunk
    from seqeval.metrics.sequence_labeling import start_of_chunk

    def parts(tag: str | None) -> tuple[str, str]:
        # As seqeval's get_entities splits a tag.
        tag = tag or "O"
        return tag[0], tag[1:].split("-", maxsplit=1)[-1] or "_"

    def border(
        function: Callable, first: str | None, second: str | None
    ) -> bool:
        (before, before_type), (after, after_type) = parts(first), parts(second)
        return function(before, after, before_type, after_type)

    return chunk_counts.tabulate_rule(
        tags,
        lambda first, second: border(start_of_chunk, first, second),
        lambda first, second: border(end_of_chunk, first, second),
        lambda tag: parts(tag)[1],
    )


def counts_of(
    gold: Tags,
    predicted: Tags,
    make_rule: Callable[[Sequence[str]], ChunkRule],
    check: Callable[[str, Tags], None] | None = None,
) -> np.ndarray:
    """Counts as `pos_counts`, by the rule that is made for the tags.

    `check` refuses tags of one side, whose name it is told first.
    """
    gold = given_labels.tag_lists("gold", gold)
    predicted = given_labels.tag_lists("predicted", predicted)
    if check is not None:
        check("gold", gold)
        check("predicted", predicted)
    _check_lengths(gold, predicted)
    ids: dict[str, int] = {}
    flat = [
        np.array(
            [ids.setdefault(tag, len(ids)) for tags in side for tag in tags],
            np.int64,
        )
        for side in (gold, predicted)
    ]
    splits = np.cumsum([0, *(len(tags) for tags in gold)])
    return chunk_counts.count_chunks(
        make_rule(list(ids)), flat[0], flat[1], splits
    )


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


def scores_of(counts: np.ndarray) -> dict[str, float]:
    """`f1`, `precision` and `recall` in percent of counts `(sentences, 3)`."""
    right, gold, predicted = (int(n) for n in counts.sum(axis=0))
    return {
        "f1": 200.0 * right / (gold + predicted) if gold + predicted else 0.0,
        "precision": 100.0 * right / predicted if predicted else 0.0,
        "recall": 100.0 * right / gold if gold else 0.0,
    }
