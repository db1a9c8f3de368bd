"""Whether a run was made with the settings that are asked for."""

from typing import Any

from dlfa_tf.runs import setting
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
    if new["precision"] == "auto":
        new["precision"] = old["precision"]
    setting.check_same(
        old,
        new,
        NOT_OF_THE_RESULT,
        where,
        "a run",
        "config.json",
    )


def _defaults() -> dict[str, Any]:
    return {
        name: declared.to_json(declared.default)
        for name, declared in SETTINGS.items()
        if declared.default is not REQUIRED
    }
