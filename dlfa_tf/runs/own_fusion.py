"""A fusion layer of one's own, named `MODULE:CLASS` in the settings of a run.

A config is data: what it names is never imported because it names it, only
because the user asked for it. Light enough to be asked for every wrong flag.
"""

import importlib
import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from dlfa_tf import checks
from dlfa_tf.options import FUSIONS
from dlfa_tf.runs import processes

# Name of the layer in every model: stable, whatever else the process built.
LAYER_NAME = "fusion"
MODULE = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
CLASS = r"[^\W\d]\w*"
_MODULE = re.compile(MODULE)
_OWN = re.compile(f"{MODULE}:{CLASS}")
# Names of systems, `<class>_<block>`, must not be those of other systems.
_TAKEN = ("D", "baseline", *FUSIONS)
_CHECK = """
import sys
from dlfa_tf import checks
from dlfa_tf.runs.own_fusion import import_layer
try:
    for name in sys.argv[1:]:
        import_layer(name)
except (ImportError, TypeError, ValueError) as error:
    sys.exit(checks.one_line(error))
"""


def is_own(fusion: str) -> bool:
    """Whether a fusion is a layer of the user's, `MODULE:CLASS`."""
    return bool(_OWN.fullmatch(fusion))


def check_fusion_name(fusion: Any) -> None:
    """Refuses what is neither a known fusion nor looks like `MODULE:CLASS`."""
    if fusion in FUSIONS:
        return
    if not isinstance(fusion, str) or not is_own(fusion):
        raise ValueError(
            f"`fusion` is unknown. Received: {fusion!r}. Accepted: "
            f"{', '.join(FUSIONS)}, or MODULE:CLASS for a layer of your own."
            + checks.nearest_hint(str(fusion), FUSIONS)
        )
    name = fusion.partition(":")[2]
    if name in _TAKEN:
        raise ValueError(
            f"`fusion` has a class whose name means another system. Received: "
            f"{fusion!r}. Accepted: another name than {', '.join(_TAKEN)}."
        )


def import_module(name: str) -> None:
    """Imports a module of the user's, in the current folder or PYTHONPATH.

    ImportError when it cannot be, for whatever reason; ValueError when it is no
    name of a module.
    """
    if not _MODULE.fullmatch(name):
        raise ValueError(
            f"No name of a module. Received: {name!r}. Accepted: a name such "
            "as my_module or my_package.my_module."
        )
    try:
        importlib.import_module(name)
    except Exception as error:
        raise ImportError(
            f"The module {name!r} cannot be imported "
            f"({type(error).__name__}: {error}). Accepted: a module in the "
            "current folder or in PYTHONPATH."
        ) from error


def import_layer(fusion: str) -> None:
    """Imports what the user named as fusion, and refuses what cannot work.

    Nothing is done for a fusion of this package. Errors are those of
    `import_module` and `make_layer`.
    """
    check_fusion_name(fusion)
    if is_own(fusion):
        import_module(fusion.partition(":")[0])
        make_layer(fusion)


def make_layer(fusion: str, dtype: str | None = None) -> Any:
    """Builds a user's fusion layer as loading a saved model would.

    The module of `MODULE:CLASS` has been imported (else ImportError). `dtype`
    is the policy of a layer that has none of its own (None: Keras' global one).
    TypeError when it is no class of a Keras layer; ValueError when there is no
    such class, or a model with it could not be loaded again.
    """
    import keras

    from dlfa_tf.models import fusing

    cls = _find_class(fusion)
    before = keras.config.dtype_policy()
    try:
        # Reaches layers inside the layer, and constructors without `dtype`.
        keras.config.set_dtype_policy(dtype or before)
        layer = cls()
        fusing.check_registered(layer)
        saved = keras.saving.serialize_keras_object(layer)
        saved["config"]["name"] = LAYER_NAME
        copy = keras.saving.deserialize_keras_object(
            json.loads(json.dumps(saved))
        )
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            f"{fusion!r} could not be loaded with a saved model ("
            f"{_cause(error)}). Accepted: a layer whose constructor needs no "
            "argument, hands **kwargs to super().__init__, and whose "
            "get_config returns its arguments."
        ) from error
    finally:
        keras.config.set_dtype_policy(before)
    # Any block will do: whether there is one is settled by the config.
    return fusing.check_fusion(copy, 1)


def _find_class(fusion: str) -> Any:
    import keras

    name, _, class_name = fusion.partition(":")
    module = sys.modules.get(name)
    if module is None:
        raise ImportError(
            f"The fusion is {fusion!r}, and {name!r} is not imported. "
            "Accepted: import it before, in programs with "
            f"--import_module={name}."
        )
    cls = getattr(module, class_name, None)
    if cls is None:
        raise ValueError(
            f"The module {name!r} has no {class_name!r}. Accepted: a class "
            "that it defines." + checks.nearest_hint(class_name, dir(module))
        )
    if not (isinstance(cls, type) and issubclass(cls, keras.layers.Layer)):
        raise TypeError(
            f"{fusion!r} is no Keras layer. Received: {cls!r}. Accepted: a "
            "class derived from keras.layers.Layer."
        )
    return cls


def _cause(error: BaseException) -> str:
    """The innermost reason, on a line; Keras puts whole configs around it."""
    while error.__context__ is not None:
        error = error.__context__
    return checks.one_line(error)[:200]


def check_in_a_process(fusions: Sequence[str]) -> None:
    """Does what `import_layer` does, in a process of its own.

    Args:
        fusions: values of `fusion`; only layers of the user's are imported.

    Raises:
        ValueError: with the message of the process.
    """
    found = [name for name in dict.fromkeys(fusions) if is_own(name)]
    if found:
        processes.check(_CHECK, found)
