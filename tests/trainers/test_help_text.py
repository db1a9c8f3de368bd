"""Tests of trainers.help_text."""

import importlib

import pytest
from absl import flags

from trainers import console
from trainers import help_text

PROGRAMS = [*console.PROGRAMS, "demo"]


@pytest.fixture
def defined():
    """Defines the flags of a program until the test ends."""
    before = set(flags.FLAGS)

    def defined(program):
        module = importlib.import_module(f"trainers.{program}")
        module.define_flags()
        return module

    yield defined
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_begins_with_what_everybody_needs(program, defined):
    module = defined(program)
    assert 1 <= len(module.FIRST) <= 5
    text = help_text.help_text(module, module.FIRST, False)
    lines = text.splitlines()
    assert lines[0] == module.__doc__.strip().splitlines()[0]
    assert "Example:" in text
    names = {flag.name for flag in help_text.program_flags(module)}
    # Each is a flag, and in the order given.
    places = []
    for name in module.FIRST:
        assert name in names
        begins = (f"  --{name}: ", f"  --[no]{name}: ")
        found = [i for i, x in enumerate(lines) if x.startswith(begins)]
        places.append(found[0])
    assert places == sorted(places)
    # The others are there, by name alone.
    listed = set(" ".join(lines[places[-1] :]).split())
    assert {f"--{name}" for name in names - set(module.FIRST)} <= listed
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("program", PROGRAMS)
def test_full_help_explains_all(program, defined):
    module = defined(program)
    text = help_text.help_text(module, module.FIRST, True)
    for flag in help_text.program_flags(module):
        assert f"--{flag.name}: " in text or f"--[no]{flag.name}: " in text


def test_help_is_printed_for_every_spelling(defined, capsys):
    module = defined("show")
    for asked in ("--help", "-h", "-?", "--helpshort", "--helpfull"):
        with pytest.raises(SystemExit) as ended:
            help_text.print_if_asked(["x", asked], module, module.FIRST)
        assert ended.value.code == 0
        assert "--compare" in capsys.readouterr().out
    help_text.print_if_asked(["x", "--model=help"], module, module.FIRST)
    assert capsys.readouterr().out == ""
