"""Which block to fuse: what dev in the source says, and what it costs."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.compare import BASELINE
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.metrics import rank_correlation

_NOTES = (
    "A user without labels in the target languages can choose by dev of "
    "the source language only. Oracle: the system with the best mean over the "
    "target languages, which takes their labels to know (and is chosen on the "
    "very items it is scored on, so it flatters itself). Regret: oracle minus "
    "chosen, in points. The baseline is among the candidates.",
    "Rank correlation: Spearman's, of dev score and target score over "
    "the systems; with fewer than four systems it says nothing and is left "
    "out.",
)


def layer_choice(scores: TaskScores) -> pd.DataFrame:
    """Chooses by dev of the source language, by target labels, and compares.

    A row per seed that two or more systems share, and one (`seed` is `mean`)
    for means over all seeds. Columns `task`, `seed`, `systems` (number of
    candidates), `chosen`, `oracle`; in percent `dev_of_chosen`,
    `target_of_chosen`, `target_of_oracle`, `target_of_baseline`; in points
    `regret` and `gain_of_chosen`; `rank_correlation`. Empty without dev scores
    or without a target language.
    """
    others = scores.targets
    if not others:
        return pd.DataFrame()
    at = [scores.languages.index(language) for language in others]
    frame = pd.DataFrame(
        {
            "label": scores.labels,
            "seed": [run.seed for run in scores.runs],
            "dev": [run.results.get("dev_score") for run in scores.runs],
            "target": scores.scores[:, at].mean(axis=1),
        }
    ).dropna(subset="dev")
    rows = []
    for seed, group in frame.groupby("seed"):
        if len(group) > 1:
            rows.append(_choose(group.set_index("label"), seed))
    means = frame.groupby("label", sort=False)[["dev", "target"]].mean()
    if len(means) > 1:
        rows.append(_choose(means, "mean"))
    return pd.DataFrame([{"task": scores.task, **row} for row in rows])


def _choose(candidates: pd.DataFrame, seed: Any) -> dict[str, Any]:
    dev = candidates["dev"].astype(float)
    target = candidates["target"].astype(float)
    # The first of equals: the baseline, then the lowest block.
    chosen, oracle = dev.idxmax(), target.idxmax()
    baseline = target.get(BASELINE, np.nan)
    return {
        "seed": seed,
        "systems": len(candidates),
        "chosen": chosen,
        "oracle": oracle,
        "dev_of_chosen": dev[chosen],
        "target_of_chosen": target[chosen],
        "target_of_oracle": target[oracle],
        "target_of_baseline": baseline,
        "regret": target[oracle] - target[chosen],
        "gain_of_chosen": target[chosen] - baseline,
        "rank_correlation": rank_correlation.rank_correlation(dev, target),
    }


def layer_table(scores: Mapping[str, TaskScores]) -> PaperTable | None:
    """The choices of all tasks as a table.

    None when no task has two systems to choose from.
    """
    frames = [layer_choice(found) for found in scores.values()]
    frames = [frame for frame in frames if not frame.empty]
    if not frames:
        return None
    values = pd.concat(frames, ignore_index=True)
    names = [
        f"{row.task.upper()} "
        + ("mean of seeds" if row.seed == "mean" else f"seed {row.seed}")
        for row in values.itertuples()
    ]
    index = pd.Index(names, name="task and seed")
    text = pd.DataFrame(
        {
            "systems": values["systems"].astype(str),
            "chosen by dev": values["chosen"],
            "its target score": _numbers(values["target_of_chosen"]),
            "gain over baseline": _numbers(values["gain_of_chosen"], "+.2f"),
            "oracle": values["oracle"],
            "oracle's target score": _numbers(values["target_of_oracle"]),
            "regret": _numbers(values["regret"]),
            "rank correlation": _numbers(values["rank_correlation"], "+.2f"),
        }
    )
    return PaperTable(
        name="layer_choice",
        title="Which block to fuse: choice by dev against an oracle",
        values=values.drop(columns="task").set_index(index),
        text=text.set_index(index),
        notes=(
            *_NOTES,
            *run_index.gate_notes(
                run.gate for x in scores.values() for run in x.runs
            ),
        ),
    )


def _numbers(values: Sequence[float], form: str = ".2f") -> list[str]:
    return ["" if pd.isna(value) else format(value, form) for value in values]
