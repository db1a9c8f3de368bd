"""Which modules the files of a folder import, inside functions too."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported_modules(file: Path) -> Iterator[str]:
    """Full names of the modules that one file imports."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield "." * node.level + node.module


def modules_of(folder: Path) -> dict[str, set[str]]:
    """Module -> files below a folder that import it, relative to it."""
    found: dict[str, set[str]] = {}
    for file in sorted(folder.rglob("*.py")):
        for name in imported_modules(file):
            place = file.relative_to(folder).as_posix()
            found.setdefault(name, set()).add(place)
    return found
