"""Whether a run was made with the settings that are asked for."""

from typing import Any

from dlfa_tf.runs.setting import REQUIRED
from dlfa_tf.runs.settings import SETTINGS
from dlfa_tf.runs.settings import TrainConfig

# What may differ when a run goes on: where it runs, not what it computes.
NOT_OF_THE_RESULT = frozenset(
    name for name, x in SETTINGS.items() if x.of == "place"
)


def check_same_settings(
    saved: dict[str, Any],
    asked: TrainConfig,
    where: str,
    saved_bundle: str | None = None,
    asked_bundle: str | None = None,
) -> None:
    """Refuses to take a run for one under other settings, which it names.

    `saved` is as `TrainConfig.to_json` gave it; a setting that is missing had
    its default value. In `asked`, `precision=auto` is any precision. `where` is
    the folder of the run, for the message. Bundles go by their hash.
    """
    old = {**_defaults(), **saved, "bundle": saved_bundle}
    new = {**asked.to_json(), "bundle": asked_bundle}
    differing = [
        f"{name}={new.get(name)!r} (the run has {old.get(name)!r})"
        for name in sorted(set(old) | set(new))
        if name not in NOT_OF_THE_RESULT
        and new.get(name) != old.get(name)
        and (name, new.get(name)) != ("precision", "auto")
    ]
    if differing:
        raise ValueError(
            f"{where!r} holds a run with other settings, which is never "
            f"overwritten. Received: {', '.join(differing)}. Accepted: the "
            "settings in its config.json, or another `output_dir`."
        )


def _defaults() -> dict[str, Any]:
    return {
        name: setting.to_json(setting.default)
        for name, setting in SETTINGS.items()
        if setting.default is not REQUIRED
    }
