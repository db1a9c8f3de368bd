"""What a run changed of the paper's system, in words."""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.runs.settings import SETTINGS

_NAMED = [x for x in SETTINGS.values() if x.in_tables == "named"]
# Settings of equation 2, with the values of the paper's systems (our reading).
FUSION_DEFAULTS = {x.name: x.default for x in _NAMED if x.of == "gate"}
# Settings of any system, the baseline too.
GENERAL_DEFAULTS = {x.name: x.default for x in _NAMED if x.of != "gate"}
DEFAULTS = {**FUSION_DEFAULTS, **GENERAL_DEFAULTS}


def shared_settings(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Settings that make no variant because all runs of a table have them.

    These are names in `GENERAL_DEFAULTS`, with the value in which all runs
    depart from the default, and alike.
    """
    shared = {}
    for name, default in GENERAL_DEFAULTS.items():
        # Lists cannot be in a set.
        values = {_plain(config.get(name, default)) for config in configs}
        if len(values) == 1 and values != {default}:
            shared[name] = values.pop()
    return shared


def variant_name(
    config: Mapping[str, Any], shared: Collection[str] = ()
) -> str:
    """Names the settings in which a run departs from the paper's system.

    For example `"branches=local, new_layer_rate=10.0"`; empty for the paper's
    systems. `config` is as in `results.json`, and what is missing has its
    default; `shared` are names of settings to leave out.
    """
    known = dict(GENERAL_DEFAULTS)
    fuses = config.get("fusion_layer") is not None
    if fuses and config.get("fusion", "dlfa") == "dlfa":
        known.update(FUSION_DEFAULTS)
    return ", ".join(
        f"{name}={_plain(config[name])}"
        for name in DEFAULTS
        if name in known
        and name not in shared
        and config.get(name, known[name]) != known[name]
    )


def _plain(value: Any) -> Any:
    """A list as the text that names have for it."""
    return "+".join(value) if isinstance(value, (list, tuple)) else value
