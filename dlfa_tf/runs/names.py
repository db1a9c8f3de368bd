"""Names of systems and of the folders of their runs."""

import re

from dlfa_tf import options

DEFAULT_GATE = options.GATES[0]


def system_name(
    fusion_layer: int | None, fusion: str = options.FUSIONS[0]
) -> str:
    """Names a system.

    Args:
        fusion_layer: int or None.
        fusion: str, `dlfa`, `mean`, `scalar_mix`, or a layer of the user's,
            by class or as `MODULE:CLASS`.

    Returns:
        The paper's `baseline` or `D_x` for block x; `mean_x` and `scalar_mix`
        for other fusions, `<class>_x` for a layer of the user's.
    """
    if fusion == "scalar_mix":
        return fusion
    if fusion_layer is None:
        return "baseline"
    name = fusion.rpartition(":")[2]
    return f"{'D' if name == 'dlfa' else name}_{fusion_layer}"


def system_folder(name: str, gate: str | None, variant: str = "") -> str:
    """Names the folder of the runs of a system.

    Args:
        name: str, see `system_name`.
        gate: str, or None for a system without one.
        variant: str, see `variant_name`.

    Returns:
        `name`; a gate other than `feature` is added (`D_9-attention`), so
        that a folder keeps its name when a gate is added to a sweep, and so
        is a variant (`D_9-branches-local`).
    """
    parts = [name]
    if gate is not None and gate != DEFAULT_GATE:
        parts.append(gate)
    if variant:
        parts.append(re.sub(r"[^\w.]+", "-", variant))
    return "-".join(parts)
