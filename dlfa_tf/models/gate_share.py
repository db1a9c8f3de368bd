"""How much of a fused representation comes from the lower block."""

from typing import Any


def share_and_gate(backbone: Any) -> tuple[Any, Any] | None:
    """Symbolic share of the lower block and mean gate, each `(batch, time)`.

    The share of a position is |part of block x| / (|part of block x| + |part of
    the last block|), summed over features: 0 where L is the last block alone, 1
    where it is block x alone. The gate is averaged over features. None for a
    baseline and for another fusion than equation 2, which has no gate.
    """
    from keras import ops

    if all(layer.name != "dlfa" for layer in backbone.layers):
        return None
    dlfa = backbone.get_layer("dlfa")
    # The tensors that equation 2 was built on; the mask came with them.
    low, high, mask = dlfa.input
    gate = dlfa.compute_gate(low, high, mask=mask)
    weights = (gate, 1.0 - gate)
    of_low, of_high = weights if dlfa.first == "low" else weights[::-1]
    part = ops.sum(ops.abs(low * of_low), axis=-1)
    other = ops.sum(ops.abs(high * of_high), axis=-1)
    return part / (part + other), ops.mean(gate, axis=-1)
