"""Chunk F1 of tag sequences: NER as seqeval has it, POS as XTREME has it."""

from collections.abc import Sequence

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
    _check_lengths(gold, predicted)
    return _micro(_pos_chunks(gold), _pos_chunks(predicted))


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
    # Not at the top: seqeval imports scikit-learn, which takes seconds.
    from seqeval.metrics.sequence_labeling import get_entities

    _check_lengths(gold, predicted)

    def entities(sentences: Tags) -> set[tuple[int, str, int, int]]:
        # seqeval takes lists only.
        return {
            (i, *entity)
            for i, tags in enumerate(sentences)
            for entity in get_entities(list(tags))
        }

    return _micro(entities(gold), entities(predicted))


def _pos_chunks(sentences: Tags) -> set[tuple[int, str, int, int]]:
    """Set of (sentence, tag, first word, last word)."""
    chunks = set()
    for sentence, tags in enumerate(sentences):
        start = 0
        for i, tag in enumerate(tags):
            last = i + 1 == len(tags)
            if last or tags[i + 1] != tag or tag.startswith("S"):
                chunks.add((sentence, tag, start, i))
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


def _micro(gold: set, predicted: set) -> dict[str, float]:
    right = len(gold & predicted)
    precision = 100.0 * right / len(predicted) if predicted else 0.0
    recall = 100.0 * right / len(gold) if gold else 0.0
    total = len(gold) + len(predicted)
    f1 = 200.0 * right / total if total else 0.0
    return {"f1": f1, "precision": precision, "recall": recall}
