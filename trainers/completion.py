r"""Prints what makes a shell complete the flags of `dlfa-train` and the like.

Names and values are those of the flags themselves.

Example:
    source <(python -m trainers.completion --shell=bash)
"""

import importlib
from collections.abc import Mapping
from collections.abc import Sequence

from absl import flags

from trainers import common_flags
from trainers import console
from trainers import help_text

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = ("shell",)
_BASH = """\
_dlfa() {
    local line="${COMP_LINE:0:COMP_POINT}" flags="" values=""
    local word="${line##*[[:space:]]}"
    case "${1##*/}" in
%(commands)s
    esac
    if [[ $word == --*=* ]]; then
        case "${1##*/} ${word%%%%=*}" in
%(values)s
        esac
        if [[ -n $values ]]; then
            COMPREPLY=($(compgen -W "$values" -- "${word#*=}"))
        else
            COMPREPLY=($(compgen -f -- "${word#*=}"))
        fi
    else
        COMPREPLY=($(compgen -W "$flags" -- "$word"))
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _dlfa %(names)s
"""
_ZSH = """\
#compdef %(names)s
_dlfa() {
    case "$service" in
%(commands)s
    esac
}
compdef _dlfa %(names)s
"""


def define_flags() -> None:
    """Defines the flags of this program."""
    common_flags.define_choice(
        "shell", None, ("bash", "zsh"), "Shell to print for.", required=True
    )
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Prints the script of a shell."""
    shell = FLAGS.shell
    known = {f"dlfa-{name}": _flags_of(name) for name in console.PROGRAMS}
    common_flags.say(bash(known) if shell == "bash" else zsh(known))


def _flags_of(program: str) -> list[flags.Flag]:
    """Flags of a program, which are gone again in the end."""
    if program == "completion":
        return help_text.program_flags(importlib.import_module(__name__))
    module = importlib.import_module(f"trainers.{program}")
    before = set(FLAGS)
    try:
        module.define_flags()
        return help_text.program_flags(module)
    finally:
        for name in set(FLAGS) - before:
            delattr(FLAGS, name)


def bash(known: Mapping[str, Sequence[flags.Flag]]) -> str:
    """The script for bash: from command to flags."""
    commands, values = [], []
    for command, found in known.items():
        names = [f"--{x.name}{'' if x.boolean else '='}" for x in found]
        commands.append(f'        {command}) flags="{" ".join(names)}" ;;')
        for flag in found:
            if chosen := help_text.choices(flag):
                values.append(
                    f'            "{command} --{flag.name}") '
                    f'values="{" ".join(chosen)}" ;;'
                )
    return _BASH % {
        "commands": "\n".join(commands),
        "values": "\n".join(values),
        "names": " ".join(known),
    }


def zsh(known: Mapping[str, Sequence[flags.Flag]]) -> str:
    """The script for zsh: from command to flags, with what they mean."""
    commands = []
    for command, found in known.items():
        lines = [f"        {command}) _arguments \\"]
        for flag in found:
            lines.append(f"            {_zsh_argument(flag)} \\")
        lines[-1] = lines[-1].removesuffix(" \\") + " ;;"
        commands += lines
    return _ZSH % {"commands": "\n".join(commands), "names": " ".join(known)}


def _zsh_argument(flag: flags.Flag) -> str:
    """A flag as `_arguments` reads it, in quotes."""
    words = " ".join((flag.help or "").split())
    text = "".join(x for x in words if x not in "'[]:\\")
    if flag.boolean:
        return f"'--{flag.name}[{text}]'"
    chosen = help_text.choices(flag)
    action = f"({' '.join(chosen)})" if chosen else "_files"
    return f"'--{flag.name}=-[{text}]:{flag.name}:{action}'"


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
