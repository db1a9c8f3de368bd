"""TensorFlow and TensorFlow Text, imported when the first name is asked for.

Layers and models run where TensorFlow is not installed (Keras on JAX or
Torch); turning strings into ids does not, because the same ops have to run
inside `tf.data` and inside a SavedModel.
"""

import importlib
from types import ModuleType
from typing import Any


class _LazyModule:
    """Stands for one of the two modules."""

    def __init__(self, name: str, short: str) -> None:
        self._name = name
        self._short = short

    def __getattr__(self, attribute: str) -> Any:
        modules = _import_both(f"{self._short}.{attribute}")
        return getattr(modules[self._name], attribute)


tf: Any = _LazyModule("tensorflow", "tf")
tf_text: Any = _LazyModule("tensorflow_text", "tf_text")


def submodule(name: str) -> Any:
    """Imports a module of the two that is no attribute of theirs.

    Args:
        name: str, full name, such as `tensorflow.core.protobuf`.

    Raises:
        ImportError: when TensorFlow or TensorFlow Text cannot be imported.
    """
    _import_both(name)
    return importlib.import_module(name)


def _import_both(wanted: str) -> dict[str, ModuleType]:
    """Imports both, as the one registers the ops that the other runs."""
    try:
        import tensorflow
        import tensorflow_text
    except ImportError as error:
        raise ImportError(
            f"`{wanted}` needs the packages `tensorflow` and "
            "`tensorflow-text`, and at least one of them cannot be imported "
            f"({error}). Install them with "
            '`pip install "tensorflow==2.20.0" "tensorflow-text==2.20.1"`, '
            "or feed prepared token arrays to the model instead of text."
        ) from error
    return {"tensorflow": tensorflow, "tensorflow_text": tensorflow_text}
