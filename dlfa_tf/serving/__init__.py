"""SavedModels that take raw strings, and the client that asks them.

Names are imported on first use: the client needs neither TensorFlow nor Keras.

    contract: what an export promises to those who call it.
    export: from a model to a SavedModel, and its check.
    client: asks a model server, or an export in this process.
    bulk: labels files of any size.
"""

import importlib
from typing import Any

_PUBLIC = {
    "CallerError": "dlfa_tf.serving.client.errors",
    "Client": "dlfa_tf.serving.client",
    "ServerError": "dlfa_tf.serving.client.errors",
    "ServingError": "dlfa_tf.serving.client.errors",
    "check_export": "dlfa_tf.serving.export.lint",
    "export_saved_model": "dlfa_tf.serving.export.export_module",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
