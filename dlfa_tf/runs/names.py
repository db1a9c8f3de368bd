"""Names of systems and of the folders of their runs."""

import re

from dlfa_tf import options

DEFAULT_GATE = options.GATES[0]


def system_name(
    fusion_layer: int | None, fusion: str = options.FUSIONS[0]
) -> str:
    """Names a system: the paper's `baseline`, or `D_x` for block x.

    Other fusions are `mean_x` and `scalar_mix`; a layer of the user's, given by
    class or as `MODULE:CLASS`, is `<class>_x`.
    """
    if fusion == "scalar_mix":
        return fusion
    if fusion_layer is None:
        return "baseline"
    name = fusion.rpartition(":")[2]
    return f"{'D' if name == 'dlfa' else name}_{fusion_layer}"


def system_folder(name: str, gate: str | None, variant: str = "") -> str:
    """Names the folder of the runs of a system, from its `system_name`.

    A gate other than `feature` is added (`D_9-attention`), so that a folder
    keeps its name when a gate is added to a sweep, and so is a variant
    (`D_9-branches-local`; see `variant_name`). `gate` is None for a system
    without one.
    """
    parts = [name]
    if gate is not None and gate != DEFAULT_GATE:
        parts.append(gate)
    if variant:
        parts.append(re.sub(r"[^\w.]+", "-", variant))
    return "-".join(parts)
