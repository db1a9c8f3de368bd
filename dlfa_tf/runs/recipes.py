"""Named settings of training, one set per task."""

import dataclasses
from typing import Any

from dlfa_tf import checks
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import Task

# Steps between two scores on English dev (`save_steps` of XTREME's scripts).
_XTREME_DEV_EVERY = {"xnli": 100, "pawsx": 200, "ner": 1000, "pos": 500}
# Learning rates for `e5_small_multi`, by English dev (searches in docs/).
_E5_SMALL_RATES = {"xnli": 1e-4, "pawsx": 1e-4, "ner": 3e-4, "pos": 3e-4}
# Length of the sweeps in docs/. Pairs warm up because at twice the rate they
# collapse to one class.
_E5_SMALL: dict[str, dict[str, Any]] = {
    "xnli": {"epochs": 1, "train_limit": 20000, "warmup_steps": 60},
    "pawsx": {"epochs": 2, "warmup_steps": 60},
    "ner": {"epochs": 3, "train_limit": 6000},
    "pos": {"epochs": 3, "train_limit": 6000},
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named set of settings.

    `text` says what it is and where its values come from; `values` are from
    task name to the settings that it fixes.
    """

    text: str
    values: dict[str, dict[str, Any]]


def _xtreme(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Values of XTREME's scripts that differ by task; `TrainConfig` has those
    that do not (no warm-up, no weight decay, clipping at 1, ...).
    """
    return {
        name: {
            "epochs": task.epochs,
            "batch_size": task.batch_size,
            "learning_rate": task.learning_rate,
            "dev_every": _XTREME_DEV_EVERY[name],
            **changes.get(name, {}),
        }
        for name, task in TASKS.items()
    }


RECIPES = {
    "xtreme": Recipe(
        text="XTREME's scripts for mBERT: 5 epochs for pairs, 10 for tagging",
        values=_xtreme(),
    ),
    "paper2epoch": Recipe(
        text="as xtreme, but 2 epochs for pairs, which XTREME's issues (#65, "
        "#87) quote as the setting of the benchmark's paper",
        values=_xtreme(xnli={"epochs": 2}, pawsx={"epochs": 2}),
    ),
    "quick": Recipe(
        text="minutes on a CPU: 2 epochs of 4000 examples at a higher rate; "
        "for a first look, never a benchmark",
        values={
            name: {
                "epochs": 2,
                "batch_size": 32,
                "learning_rate": rate,
                "train_limit": 4000,
                "eval_limit": 400,
                "dev_every": 50,
            }
            for name, rate in _E5_SMALL_RATES.items()
        },
    ),
    "e5_small": Recipe(
        text="searched on English dev with the preset `e5_small_multi`; ten "
        "to thirty minutes on two cores; scores to expect are in "
        "docs/results.md",
        values={
            name: {
                "batch_size": 32,
                "learning_rate": _E5_SMALL_RATES[name],
                # Once an epoch.
                "dev_every": 0,
                **values,
            }
            for name, values in _E5_SMALL.items()
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
    return dict(RECIPES[name].values[task.name])
