"""Chunk F1 of tags in a scheme that is named: IOB2, IOBES or BILOU."""

from collections.abc import Sequence

from dlfa_tf import checks
from dlfa_tf.metrics import chunk_counts
from dlfa_tf.metrics import chunk_f1
from dlfa_tf.metrics.chunk_counts import ChunkRule
from dlfa_tf.metrics.chunk_f1 import Tags

# Scheme -> prefix -> the same in IOBES, whose rules are seqeval's own.
_AS_IOBES = {
    "IOB2": {"B": "B", "I": "I"},
    "IOBES": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "BILOU": {"B": "B", "I": "I", "L": "E", "U": "S"},
}


def entity_f1(
    gold: Tags, predicted: Tags, scheme: str = "IOB2"
) -> dict[str, float]:
    """Scores tags by entities, with seqeval's default rules.

    These forgive a sequence that the scheme does not have, as conlleval does:
    an `I-X` without a beginning begins an entity.

    Args:
        gold: one list of tags (`O`, `B-PER`, ...) per sentence.
        predicted: the same, equally long.
        scheme: str, `"IOB2"`, `"IOBES"` or `"BILOU"`. Defaults to `"IOB2"`,
            for which this is `ner_f1`.

    Returns:
        dict of `f1`, `precision`, `recall`, in percent, micro-averaged over
        all entities; 0 where there are none.

    Raises:
        ValueError: for an unknown scheme, a tag that is none of it, or when
            the numbers of sentences or of tags differ.

    Example:
        dlfa_tf.metrics.entity_f1([["U-PER", "O"]], [["U-PER", "O"]], "BILOU")
    """
    return chunk_f1.scores_of(
        chunk_f1.counts_of(
            gold, predicted, lambda tags: scheme_rule(tags, scheme)
        )
    )


def scheme_rule(tags: Sequence[str], scheme: str) -> ChunkRule:
    """Rule of `entity_f1` over tags that must be of the scheme."""
    if scheme not in _AS_IOBES:
        raise ValueError(
            f"`scheme` is unknown. Received: {scheme!r}. Accepted: "
            f"{', '.join(_AS_IOBES)}." + checks.nearest_hint(scheme, _AS_IOBES)
        )
    prefixes = _AS_IOBES[scheme]
    wrong = sorted(
        tag
        for tag in tags
        if tag != "O"
        and not (tag[:1] in prefixes and tag[1:2] == "-" and tag[2:])
    )
    if wrong:
        raise ValueError(
            f"Tags that the scheme {scheme} does not have. Received: "
            f"{wrong[:12]}. Accepted: O, "
            f"{', '.join(f'{x}-TYPE' for x in prefixes)}."
        )
    return chunk_f1.seqeval_rule(
        [x if x == "O" else prefixes[x[0]] + x[1:] for x in tags]
    )


def accuracy_rule(tags: Sequence[str]) -> ChunkRule:
    """Rule by which every word is a chunk of its own: accuracy of words."""
    return chunk_counts.tabulate_rule(
        tags, lambda *_: True, lambda *_: True, lambda tag: tag
    )
