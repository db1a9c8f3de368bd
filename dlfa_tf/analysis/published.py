"""The paper's own figures, to be shown beside ours and never among them.

Chen et al. 2022 (arXiv 2205.08497), Tables 1 to 4: mBERT, in percent. The
baselines are XTREME's published ones. `part` is a language or an average as in
`dlfa_tf.metrics.aggregate.average_groups`.
"""

from types import MappingProxyType

import pandas as pd

SOURCE = "Chen et al. 2022, mBERT"
# Examples of MultiNLI, PAWS-Wiki, PAN-X en and UD 2.5 en, as XTREME has them.
TRAIN_EXAMPLES = MappingProxyType(
    {"xnli": 392702, "pawsx": 49401, "ner": 20000, "pos": 21253}
)

_TASKS = ("xnli", "pawsx", "ner", "pos")
_TABLE_1 = {
    "baseline": (65.40, 81.94, 62.17, 70.28),
    "D_11": (66.91, 83.04, 62.27, 71.53),
    "D_10": (66.55, 84.33, 62.76, 71.81),
    "D_9": (66.57, 84.24, 62.43, 71.58),
    "D_8": (66.90, 82.91, 63.34, 71.36),
    "D_7": (66.20, 83.48, 62.63, 71.52),
    "D_6": (66.75, 84.37, 61.84, 71.29),
    "D_5": (65.42, 82.44, 61.66, 71.08),
    "D_4": (66.14, 82.75, 62.28, 71.26),
    "D_3": (66.00, 83.81, 61.88, 71.21),
    "D_2": (66.15, 83.04, 61.34, 71.38),
    "D_1": (65.85, 82.50, 61.73, 71.18),
}
_TABLE_2 = {
    ("xnli", "baseline"): (75.40, 63.86),
    ("xnli", "D_11"): (77.34, 65.31),
    ("xnli", "D_8"): (77.11, 65.34),
    ("pawsx", "baseline"): (89.85, 78.80),
    ("pawsx", "D_10"): (90.30, 81.94),
    ("pawsx", "D_6"): (90.00, 82.12),
}
_TABLE_3 = {
    ("xnli", "D_11"): 0.5689,
    ("xnli", "D_8"): 0.6822,
    ("pawsx", "D_10"): 0.8548,
    ("pawsx", "D_6"): 0.9461,
}
_LANGUAGES_4 = ("en", "de", "fr", "es", "ko", "zh")
_TABLE_4 = {
    "baseline": (94.0, 85.7, 87.4, 87.0, 69.6, 77.0),
    "D_10": (94.1, 86.5, 88.3, 88.79, 75.8, 80.3),
    "D_6": (93.9, 86.0, 87.8, 89.09, 76.1, 81.2),
}


def published_scores() -> pd.Series:
    """Published scores in percent, indexed by task, system and part.

    Example:
        >>> from dlfa_tf.analysis import published_scores
        >>> float(published_scores()["pawsx", "D_10", "de"])
        86.5
    """
    values: dict[tuple, float] = {}
    for system, by_task in _TABLE_1.items():
        for task, value in zip(_TASKS, by_task, strict=True):
            values[task, system, "all"] = value
    for (task, system), (enf, noenf) in _TABLE_2.items():
        values[task, system, "enf"] = enf
        values[task, system, "noenf"] = noenf
    for system, row in _TABLE_4.items():
        for language, value in zip(_LANGUAGES_4, row, strict=True):
            values["pawsx", system, language] = value
    return _series(values, ["task", "system", "part"])


def published_similarity() -> pd.Series:
    """Published cosine similarities (Table 3), indexed by task and system."""
    return _series(dict(_TABLE_3), ["task", "system"])


def _series(values: dict, names: list[str]) -> pd.Series:
    index = pd.MultiIndex.from_tuples(list(values), names=names)
    series = pd.Series(list(values.values()), index=index, name="published")
    return series.sort_index()
