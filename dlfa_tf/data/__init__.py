"""Tasks, readers and the way from examples to batches."""

import importlib
from typing import Any

# Imported on first use: flags need the tasks, not the readers.
_PUBLIC = {
    "TASKS": "tasks",
    "PairExample": "readers",
    "Source": "sources",
    "TaggedSentence": "readers",
    "Task": "tasks",
    "get_task": "tasks",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        module = importlib.import_module(f"dlfa_tf.data.{_PUBLIC[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'dlfa_tf.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
