"""Predictions, scores and the run folder; tables and pictures of many runs."""

import importlib
from typing import Any

# Imported on first use: training needs a part of this, without pandas.
_PUBLIC = {
    "analyze": "analysis",
    "collect_scores": "compare",
    "load_runs": "runs",
    "published_scores": "published",
    "run_frame": "runs",
    "score_frame": "runs",
    "summarize": "compare",
    "table_1": "paper_tables",
    "table_2": "paper_tables",
    "table_4": "paper_tables",
    "to_latex": "table_files",
    "to_markdown": "table_files",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        module = importlib.import_module(f"dlfa_tf.evaluation.{_PUBLIC[name]}")
        return getattr(module, name)
    raise AttributeError(
        f"module 'dlfa_tf.evaluation' has no attribute {name!r}"
    )


def __dir__() -> list[str]:
    return sorted(__all__)
