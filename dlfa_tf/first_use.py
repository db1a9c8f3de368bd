"""Public names of a package whose modules are imported on first use."""

import importlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any


def public_names(
    package: str, places: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Makes `__getattr__` and `__dir__` of a package (PEP 562).

    `places` says which module below the package has each public name.
    """

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}"
            )
        module = importlib.import_module(f"{package}.{places[name]}")
        return getattr(module, name)

    return find, lambda: sorted(places)
