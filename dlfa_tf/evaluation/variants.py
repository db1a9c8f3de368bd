"""What a run changed of the paper's system, in words."""

import re
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.training.config import SETTINGS
from dlfa_tf.training.config import TrainConfig

DEFAULT_GATE = TrainConfig.gate
_NAMED = [x for x in SETTINGS.values() if x.in_tables == "named"]
# Settings of equation 2, with the values of the paper's systems (our reading).
FUSION_DEFAULTS = {x.name: x.default for x in _NAMED if x.of == "gate"}
# Settings of any system, the baseline too.
GENERAL_DEFAULTS = {x.name: x.default for x in _NAMED if x.of != "gate"}
DEFAULTS = {**FUSION_DEFAULTS, **GENERAL_DEFAULTS}


def system_name(
    fusion_layer: int | None, fusion: str = TrainConfig.fusion
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


def shared_settings(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Settings that make no variant because all runs of a table have them.

    Args:
        configs: settings of the runs.

    Returns:
        dict from the names in `GENERAL_DEFAULTS` in which all runs depart
        from the default, and alike, to their value.
    """
    shared = {}
    for name, default in GENERAL_DEFAULTS.items():
        values = {config.get(name, default) for config in configs}
        if len(values) == 1 and values != {default}:
            shared[name] = values.pop()
    return shared


def variant_name(
    config: Mapping[str, Any], shared: Collection[str] = ()
) -> str:
    """Names the settings in which a run departs from the paper's system.

    Args:
        config: settings of a run, as in `results.json`; what is missing has
            its default.
        shared: names of settings to leave out.

    Returns:
        str such as `"branches=local, new_layer_rate=10.0"`; empty for the
        paper's systems.
    """
    known = dict(GENERAL_DEFAULTS)
    fuses = config.get("fusion_layer") is not None
    if fuses and config.get("fusion", "dlfa") == "dlfa":
        known.update(FUSION_DEFAULTS)
    return ", ".join(
        f"{name}={config[name]}"
        for name in DEFAULTS
        if name in known
        and name not in shared
        and config.get(name, known[name]) != known[name]
    )
