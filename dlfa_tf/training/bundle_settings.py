"""Which settings a bundle has decided; light enough to be asked at once."""

from typing import Any

from dlfa_tf.runs.settings import SETTINGS
from dlfa_tf.runs.settings import TrainConfig

# A run on a bundle may not have others.
BUNDLE_SETTINGS = tuple(
    name for name, x in SETTINGS.items() if x.of in ("data", "evaluation")
)
# What bundles had before they said so.
_LATER = {
    name: SETTINGS[name].to_json(SETTINGS[name].default)
    for name in ("source_languages", "target_examples")
}


def check_settings(config: TrainConfig, meta: dict[str, Any]) -> None:
    """Refuses a config that asks for other data than the bundle holds."""
    asked = config.to_json()
    different = [
        f"{name}={asked[name]!r} (the bundle has {value!r})"
        for name, value in {**_LATER, **meta["settings"]}.items()
        if asked[name] != value
    ]
    if different:
        raise ValueError(
            "The bundle was made with other settings. Received: "
            f"{', '.join(different)}. Accepted: the bundle's, which are taken "
            f"when nothing is said of {', '.join(BUNDLE_SETTINGS)}; or "
            "another bundle."
        )
