"""One place that knows whether TensorFlow and TensorFlow Text are there."""

from typing import Any

try:
    import tensorflow as tf
    import tensorflow_text as tf_text
except ImportError:
    tf = None
    tf_text = None


def require_tensorflow(what: str) -> Any:
    """Returns the `tensorflow` module, or says who needs it and what to do.

    Layers and models run where TensorFlow is not installed (Keras on JAX or
    Torch); turning strings into ids does not, because the same ops have to
    run inside `tf.data` and inside a SavedModel.

    Args:
        what: str, the class or function that needs TensorFlow.

    Returns:
        The `tensorflow` module.

    Raises:
        ImportError: when TensorFlow or TensorFlow Text cannot be imported.
    """
    if tf is None:
        raise ImportError(
            f"{what} needs the packages `tensorflow` and `tensorflow-text`, "
            "and at least one of them cannot be imported. Install them with "
            '`pip install "tensorflow==2.20.0" "tensorflow-text==2.20.1"`, '
            "or feed prepared token arrays to the model instead of text."
        )
    return tf


def require_tensorflow_text(what: str) -> Any:
    """Returns the `tensorflow_text` module; see `require_tensorflow`."""
    require_tensorflow(what)
    return tf_text
