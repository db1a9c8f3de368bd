"""Accuracy of flat lists of labels, and of lists of lists."""

from collections.abc import Sequence


def accuracy(gold: Sequence, predicted: Sequence) -> dict[str, float]:
    """Share of equal labels.

    Args:
        gold: list or array of labels, or of lists (then over all items).
        predicted: the same, equally long.

    Returns:
        dict with `accuracy` in percent; 0 where there is nothing to count.

    Raises:
        ValueError: when the lengths differ.

    Example:
        dlfa_tf.metrics.accuracy(["0", "1"], ["0", "0"])["accuracy"]  # 50.0
    """
    if len(gold) != len(predicted):
        raise ValueError(
            "`gold` and `predicted` must be equally long. Received: "
            f"{len(gold)} and {len(predicted)}."
        )
    right = total = 0
    for i, (a, b) in enumerate(zip(gold, predicted, strict=True)):
        if hasattr(a, "__len__") and not isinstance(a, str):
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
