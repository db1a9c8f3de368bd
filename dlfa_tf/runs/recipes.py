"""Named settings of training, one set per task."""

import dataclasses
from collections.abc import Callable
from typing import Any

from dlfa_tf import checks
from dlfa_tf.data.task import Task

# Learning rates for `e5_small_multi`, by dev in the source language (searches
# in docs/).
_E5_SMALL_RATES = {"single": 1e-4, "pair": 1e-4, "tagging": 3e-4}
# Length of the sweeps in docs/. Pairs warm up because at twice the rate they
# collapse to one class.
_E5_SMALL: dict[str, dict[str, Any]] = {
    "single": {"epochs": 2, "warmup_steps": 60},
    "pair": {"epochs": 2, "warmup_steps": 60},
    "tagging": {"epochs": 3, "train_limit": 6000},
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named set of settings.

    `text` says what it is and where its values come from; `values` gives the
    settings that it fixes for a task, but for those that the task's definition
    has others for.
    """

    text: str
    values: Callable[[Task], dict[str, Any]]


def _of_task(task: Task) -> dict[str, Any]:
    """Values of XTREME's scripts that differ by task; `TrainConfig` has those
    that do not (no warm-up, no weight decay, clipping at 1, ...).
    """
    return {
        "epochs": task.epochs,
        "batch_size": task.batch_size,
        "learning_rate": task.learning_rate,
        "dev_every": task.dev_every,
    }


RECIPES = {
    "xtreme": Recipe(
        text="XTREME's scripts for mBERT: 5 epochs for pairs, 10 for tagging",
        values=_of_task,
    ),
    "paper2epoch": Recipe(
        text="as xtreme, but 2 epochs for pairs, which XTREME's issues (#65, "
        "#87) quote as the setting of the benchmark's paper",
        values=_of_task,
    ),
    "quick": Recipe(
        text="minutes on a CPU: 2 epochs of 4000 examples at a higher rate; "
        "for a first look, never a benchmark",
        values=lambda task: {
            "epochs": 2,
            "batch_size": 32,
            "learning_rate": _E5_SMALL_RATES[task.kind],
            "train_limit": 4000,
            "eval_limit": 400,
            "dev_every": 50,
        },
    ),
    "e5_small": Recipe(
        text="searched on dev in the source language with the preset "
        "`e5_small_multi`; ten to thirty minutes on two cores; scores to "
        "expect are in docs/results.md",
        values=lambda task: {
            "batch_size": 32,
            "learning_rate": _E5_SMALL_RATES[task.kind],
            # Once an epoch.
            "dev_every": 0,
            **_E5_SMALL[task.kind],
        },
    ),
}


def recipe_values(name: str, task: Task) -> dict[str, Any]:
    """Settings of a recipe for a task."""
    if name not in RECIPES:
        raise ValueError(
            f"`recipe` is unknown. Received: {name!r}. Accepted: "
            f"{list(RECIPES)}." + checks.nearest_hint(name, RECIPES)
        )
    return {**RECIPES[name].values(task), **task.recipes.get(name, {})}
