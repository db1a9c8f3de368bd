"""What `--help` prints: what everybody needs first, then groups of the rest."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from types import ModuleType

from absl import flags

from dlfa_tf.runs.settings import SETTINGS

_SHORT = frozenset(["--help", "-help", "--helpshort", "-helpshort", "-h", "-?"])
_FULL = frozenset(["--helpfull", "-helpfull"])
_TITLES = {
    "data": "Data",
    "model": "System",
    "gate": "Gate of a D_x",
    "training": "Training",
    "evaluation": "Evaluation",
    "place": "Place and pace",
    "": "This program",
}
# `<a|b>: text`, as closed sets of values are shown.
_CHOICES = re.compile(r"<([^>]*)>: (.*)", re.DOTALL)


def print_if_asked(
    argv: Sequence[str], module: ModuleType, first: Sequence[str]
) -> None:
    """Prints help and ends the program where the arguments ask for it.

    `first` names the flags that are explained by `--help`; it lists the others
    by group, and `--helpfull` explains all.
    """
    asked = set(argv[1:])
    if asked & (_SHORT | _FULL):
        sys.stdout.write(help_text(module, first, bool(asked & _FULL)))
        sys.exit(0)


def help_text(module: ModuleType, first: Sequence[str], is_full: bool) -> str:
    """The help of a program whose flags are defined."""
    width = min(100, max(60, shutil.get_terminal_size().columns))
    found = {flag.name: flag for flag in program_flags(module)}
    parts = [(module.__doc__ or "").strip()]
    named = [name for name in first if name in found]
    if named and not is_full:
        lines = ["First:", *_explained(named, found, width)]
        parts.append("\n".join(lines))
    for of, title in _TITLES.items():
        names = [
            name
            for name in found
            if _group(name) == of and (is_full or name not in named)
        ]
        if not names:
            continue
        shown = (_explained if is_full else _listed)(names, found, width)
        parts.append("\n".join([f"{title}:", *shown]))
    if not is_full:
        parts.append("All flags explained: --helpfull")
    return "\n\n".join(parts) + "\n"


def program_flags(module: ModuleType) -> list[flags.Flag]:
    """The flags of a program and of the files it takes flags from."""
    return flags.FLAGS.get_key_flags_for_module(module)


def choices(flag: flags.Flag) -> list[str]:
    """Values of a closed set; names of other things are left out."""
    match = _CHOICES.match(flag.help or "")
    if flag.boolean:
        return ["true", "false"]
    values = match[1].split("|") if match else []
    return [value for value in values if value == value.lower()]


def _group(name: str) -> str:
    return SETTINGS[name].of if name in SETTINGS else ""


def _explained(
    names: Iterable[str], found: dict[str, flags.Flag], width: int
) -> Iterator[str]:
    for name in names:
        flag = found[name]
        text = flag.help or ""
        default = flag.default_as_str
        if default is not None and "default" not in text:
            text += f" Default {default}."
        yield from textwrap.wrap(
            f"--{'[no]' if flag.boolean else ''}{name}: {text}",
            width,
            initial_indent="  ",
            subsequent_indent="      ",
            break_on_hyphens=False,
        )


def _listed(
    names: Iterable[str], found: dict[str, flags.Flag], width: int
) -> Iterator[str]:
    del found
    yield from textwrap.wrap(
        " ".join(f"--{name}" for name in names),
        width,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
    )
