"""What may leave this machine: values without the folders on it."""

import re
from collections.abc import Mapping
from typing import Any

# An absolute path, its last name as a group; not what follows "https:" and is
# not inside of "a/b" or "2026/01/02". Words between two slashes may be one
# folder's name, unless a mark that ends a path is among them.
_PATH = re.compile(
    r"""
    (?: ^ | (?<= [\s=,;|"'`(\[{] ) | (?<= :) (?! //) ) /+
    (?:
        (?: [^\s/]* [^\s/:=,;|"'`()] (?: [ ]+ [^\s/:=,;|"'`()]+ )+ | [^\s/]+ )
        /+
    )*
    ( [^\s/]+ ) /*
    """,
    re.VERBOSE,
)


def without_paths(value: Any) -> Any:
    """Shortens the absolute paths in plain values to their last part.

    Names of folders may have spaces: of a text, the words between a path and
    the next slash count as a part of it.

    Args:
        value: a plain value, as JSON has them; mappings and lists to any depth.

    Returns:
        The same with shorter texts; tuples are lists. Keys of mappings stay.
    """
    if isinstance(value, Mapping):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(item) for item in value]
    if isinstance(value, str):
        return _PATH.sub(r"\1", value)
    return value
