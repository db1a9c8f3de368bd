"""What a run changed of the paper's system, in words."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf import options
from dlfa_tf.runs.settings import SETTINGS

_NAMED = [x for x in SETTINGS.values() if x.in_tables == "named"]
# Settings of equation 2, with the values of the paper's systems (our reading).
FUSION_DEFAULTS = {x.name: x.default for x in _NAMED if x.of == "gate"}
# Settings of any system, the baseline too.
GENERAL_DEFAULTS = {x.name: x.default for x in _NAMED if x.of != "gate"}
DEFAULTS = {**FUSION_DEFAULTS, **GENERAL_DEFAULTS}


def shared_settings(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Settings that make no variant because the runs of a table have them.

    These are names in `GENERAL_DEFAULTS`, with the value in which all runs
    depart from the default, and alike. Encoders may differ: where no run has
    the default one, it is that of most runs; of several, a name before a
    folder, which may hold what was made of it, then the first in order.

    Args:
        configs: settings of the runs, as in `results.json`.

    Returns:
        dict from name to value, as `variant_name` would write it.
    """
    shared: dict[str, Any] = {}
    for name, default in GENERAL_DEFAULTS.items():
        if name == "preset":
            shared |= _usual_encoder(configs)
            continue
        # Lists cannot be in a set.
        given = {_plain(name, x.get(name, default)) for x in configs}
        if default not in given and len(given) == 1:
            (shared[name],) = given
    return shared


def _usual_encoder(configs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The encoder of most runs; empty where one has the default."""
    default = options.DEFAULT_PRESET
    encoders = Counter(str(x.get("preset", default)) for x in configs)
    if default in encoders:
        return {}
    usual = min(encoders, key=lambda x: (-encoders[x], "/" in x, x))
    return {"preset": _plain("preset", usual)}


def variant_name(
    config: Mapping[str, Any], shared: Mapping[str, Any] | None = None
) -> str:
    """Names the settings in which a run departs from the paper's system.

    For example `"branches=local, new_layer_rate=10.0"`; empty for the paper's
    systems. Of an encoder's folder or address the last part stands there.

    Args:
        config: settings as in `results.json`; what is missing has its default.
        shared: what `shared_settings` returned, which is left out. Defaults
            to `None`: nothing.

    Returns:
        str, settings with their values in the order of `DEFAULTS`.
    """
    known = dict(GENERAL_DEFAULTS)
    fuses = config.get("fusion_layer") is not None
    if fuses and config.get("fusion", "dlfa") == "dlfa":
        known.update(FUSION_DEFAULTS)
    given = {
        name: _plain(name, config.get(name, known[name]))
        for name in DEFAULTS
        if name in known
    }
    usual = {**known, **(shared or {})}
    return ", ".join(
        f"{name}={value}"
        for name, value in given.items()
        if value != usual[name]
    )


def _plain(name: str, value: Any) -> Any:
    """A list or the place of an encoder as the text that names have for it."""
    if name == "preset":
        return str(value).rstrip("/").rpartition("/")[2] or value
    return "+".join(value) if isinstance(value, (list, tuple)) else value
