"""Makes the classes of this package known to Keras as soon as Keras is there.

Keras finds a class of a saved model only where it has been registered, which
importing its module does. `import dlfa_tf` alone imports neither: the serving
client works where Keras is not installed, and programs check their flags
before they wait for it. So the import of Keras itself brings the classes in.
"""

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from types import ModuleType

# What a user imports before loading a model, and where all classes are.
_WATCHED = ("keras", "keras_hub", "dlfa_tf.layers")
_CLASSES = "dlfa_tf.models"


class _Watch(importlib.abc.MetaPathFinder):
    """Imports the classes right after one of the watched modules."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Finds a watched module as usual, and adds a step to its loading."""
        if fullname not in _WATCHED:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            with _no_search_for_garbage():
                load(module)
                _register(fullname)

        spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec


def register_when_keras_is_imported() -> None:
    """Registers the classes now if Keras is imported, else when it is."""
    if "keras" in sys.modules:
        importlib.import_module(_CLASSES)
    elif not any(isinstance(x, _Watch) for x in sys.meta_path):
        sys.meta_path.insert(0, _Watch())


@contextlib.contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Leaves garbage alone: there is none to speak of while modules load.

    Python would go through all that TensorFlow has made so far, again and
    again, and find nothing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _register(loaded: str) -> None:
    """Imports the classes, unless what they need is being imported."""
    for name, module in list(sys.modules.items()):
        needed = name == "keras_hub" or name.startswith("dlfa_tf.")
        if needed and name != loaded:
            spec = getattr(module, "__spec__", None)
            # Set while a module is not complete. Its import goes on to the
            # classes, is watched itself, or does not need them.
            if getattr(spec, "_initializing", False):
                return
    importlib.import_module(_CLASSES)
