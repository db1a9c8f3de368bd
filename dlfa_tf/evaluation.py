"""Old name of `dlfa_tf.analysis`, kept for those who import it."""

from typing import Any

from dlfa_tf import analysis

__all__ = list(analysis.__all__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(analysis, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
