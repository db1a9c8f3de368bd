"""Accuracy of flat lists of labels, and of lists of lists."""

from collections.abc import Sequence

from dlfa_tf.metrics import given_labels


def accuracy(gold: Sequence, predicted: Sequence) -> dict[str, float]:
    """Share of equal labels.

    Args:
        gold: list or array of labels, or of lists (then over all items).
        predicted: the same, equally long.

    Returns:
        dict with `accuracy` in percent; 0 where there is nothing to count.

    Raises:
        ValueError: when the lengths differ, and for names against ids, which
            are never equal.
        TypeError: for None, NaN and what is no label.

    Example:
        dlfa_tf.metrics.accuracy(["0", "1"], ["0", "0"])["accuracy"]  # 50.0
    """
    gold = given_labels.labels("gold", gold, nested=True)
    predicted = given_labels.labels("predicted", predicted, nested=True)
    given_labels.check_equally_long(gold, predicted)
    given_labels.check_comparable(gold, predicted)
    right = total = 0
    for i, (a, b) in enumerate(zip(gold, predicted, strict=True)):
        if isinstance(a, list) != isinstance(b, list):
            raise ValueError(
                f"Item {i} (counted from 0) must be a list in both `gold` and "
                f"`predicted`, or in neither. Received: {a!r:.80} and "
                f"{b!r:.80}."
            )
        if isinstance(a, list):
            if len(a) != len(b):
                raise ValueError(
                    f"Item {i} (counted from 0) must be equally long in "
                    f"`gold` and `predicted`. Received: {len(a)} and {len(b)}."
                )
            right += sum(bool(x == y) for x, y in zip(a, b, strict=True))
            total += len(a)
        else:
            right += int(a == b)
            total += 1
    return {"accuracy": 100.0 * right / total if total else 0.0}
