"""Schemes of tags for entities, and sequences that break them."""

from collections.abc import Sequence

from dlfa_tf.data.task import Task

# Prefixes that go on with an entity, and those that leave one open.
_GOES_ON = {"IOB2": "I", "IOBES": "IE", "BILOU": "IL"}
_OPEN = {"IOB2": "", "IOBES": "BI", "BILOU": "BI"}


def scheme_of(task: Task) -> str | None:
    """The scheme of a task's tags; None for tags without one."""
    if task.score == "ner_f1":
        return "IOB2"
    return task.scheme if task.score == "chunk_f1" else None


def count_broken(tags: Sequence[str], scheme: str) -> int:
    """Counts the tags of a sentence that break the scheme.

    A tag that goes on with an entity must follow one of the same type; where a
    scheme closes entities, one that is open must be gone on with.
    """
    broken = 0
    before, type_before = "O", ""
    for tag in [*tags, "O"]:
        prefix, _, kind = tag.partition("-")
        goes_on = prefix in _GOES_ON[scheme]
        is_open = before in ("B", "I") and kind == type_before
        if goes_on and not is_open:
            broken += 1
        elif before in _OPEN[scheme] and not (goes_on and is_open):
            broken += 1
        before, type_before = prefix, kind
    return broken
