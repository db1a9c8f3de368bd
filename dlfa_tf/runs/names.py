"""Names of systems and of the folders of their runs."""

import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf import options

DEFAULT_GATE = options.GATES[0]
_TARGET_EXAMPLES = re.compile(r"([A-Za-z][\w-]*):([1-9]\d*)")


def sources_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Source languages of the settings in `results.json`."""
    return tuple(config.get("source_languages") or options.SOURCE_LANGUAGES)


def in_words(languages: Sequence[str]) -> str:
    """Languages in a name or a table: `en`, or `de+en` for several."""
    return "+".join(languages)


def target_counts(target_examples: Sequence[str] | None) -> dict[str, int]:
    """From language to number, of values such as `zh:100`."""
    pairs = (text.split(":") for text in target_examples or ())
    return {language: int(count) for language, count in pairs}


def check_target_examples(values: Sequence[str]) -> None:
    """Refuses values that are not like `zh:100`, or name a language twice."""
    wrong = [x for x in values if not _TARGET_EXAMPLES.fullmatch(x)]
    languages = [x.partition(":")[0] for x in values]
    if wrong or len(set(languages)) < len(languages):
        raise ValueError(
            "`target_examples` must be languages with numbers, each once. "
            f"Received: {wrong or list(values)}. Accepted: such as zh:100, "
            "the number 1 or more."
        )


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
