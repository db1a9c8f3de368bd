"""DLFA: feature aggregation for zero-shot cross-lingual transfer.

Layers and models of "Feature Aggregation in Zero-Shot Cross-Lingual Transfer
Using Multilingual BERT" (Chen et al., arXiv 2205.08497) for Keras 3.
"""

import importlib
from typing import Any

from dlfa_tf import registration
from dlfa_tf import version_check

version_check.check_versions()
registration.register_when_keras_is_imported()

__version__ = "0.2.0"

# Public names and where they live. They are imported on first use, or right
# after Keras: the client and the metrics work without Keras, layers and models
# without TensorFlow.
_PUBLIC = {
    "AIF": "dlfa_tf.layers",
    "DLFA": "dlfa_tf.layers",
    "DLFABackbone": "dlfa_tf.models",
    "DLFATextClassifier": "dlfa_tf.models",
    "DLFATokenClassifier": "dlfa_tf.models",
}
_PACKAGES = (
    "layers",
    "metrics",
    "models",
    "preprocessing",
    "data",
    "scoring",
    "analysis",
    "evaluation",
    "serving",
)

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _PACKAGES:
        return importlib.import_module(f"dlfa_tf.{name}")
    raise AttributeError(f"module 'dlfa_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES])
