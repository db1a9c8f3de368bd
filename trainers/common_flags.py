"""Flags that several programs share, and how a program starts and ends."""

import errno
import logging
import os
import re
import sys
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import flags
from absl import logging as absl_logging

from dlfa_tf import checks
from dlfa_tf import files
from trainers import help_text

# Wrong settings or data: the user's to mend, one line is enough.
_USER_ERRORS = (
    ValueError, TypeError, OSError, ImportError, ArithmeticError
)  # fmt: skip
# What the system's errors leave unsaid.
_ACCEPTED = {
    errno.EACCES: "what this user may read, or write to",
    errno.EEXIST: "a new name",
    errno.EISDIR: "a file",
    errno.ENOENT: "what is there",
    errno.ENOTDIR: "a folder",
    errno.EPERM: "what this user may read, or write to",
    errno.EROFS: "a folder that can be written to",
}


def define_choice(
    name: str,
    default: str | None,
    choices: Sequence[str],
    text: str,
    required: bool = False,
    aliases: Mapping[str, str] | None = None,
) -> None:
    """Defines a flag with a closed set of values.

    absl's own enum flag lists the accepted values, but does not offer the
    nearest one for a typo. `aliases` go from values that others use to the
    accepted ones that a message offers for them.
    """
    flags.DEFINE_string(
        name, default, f"<{'|'.join(choices)}>: {text}", required=required
    )

    def check(value: str | None) -> bool:
        if value is None or value in choices:
            return True
        meant = (aliases or {}).get(value.casefold(), value)
        raise flags.ValidationError(
            f"Received: {value!r}. Accepted: {', '.join(choices)}."
            + checks.nearest_hint(meant, choices)
        )

    flags.register_validator(name, check)


def refuse_without(needed: str, *names: str) -> None:
    """Refuses flags that would be ignored without another one.

    `needed` names a flag whose default is None or empty; `names` say nothing
    while it is not given.
    """

    def check(values: dict[str, Any]) -> bool:
        unused = [f"--{name}" for name in names if flags.FLAGS[name].present]
        if unused and not values[needed]:
            raise flags.ValidationError(
                f"Received: {', '.join(unused)} without --{needed}. Accepted: "
                "with it only."
            )
        return True

    flags.register_multi_flags_validator([needed, *names], check)


def define_import_flag() -> None:
    """Defines `--import_module`."""
    flags.DEFINE_list(
        "import_module",
        [],
        "Modules to import before a model is loaded, separated by commas: "
        "those that define the layers of your own in it. They are looked for "
        "in the current folder and in PYTHONPATH. A model alone never makes "
        "a program import anything.",
    )


def import_modules() -> None:
    """Imports what `--import_module` names; an error names the module."""
    # Not at the top: a wrong flag should not wait for it.
    from dlfa_tf.runs import own_fusion

    for name in flags.FLAGS.import_module:
        own_fusion.import_module(name)


def run_program(main: Callable[[], None], first: Sequence[str] = ()) -> None:
    """Runs a program: parses flags, calls `main`, ends with an exit code.

    `first` names the flags that `--help` explains; it lists the others.

    Exit codes: 0 success, 1 wrong settings or data (one line on standard
    error; a traceback with --verbosity=1), 2 wrong flags, 130 interrupted, and
    the `exit_code` of an error that has one.
    """
    # TensorFlow's C++ side otherwise reports at every start, as an error,
    # that there is no GPU. Its real errors arrive as Python exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    def wrapped(argv: Sequence[str]) -> int:
        if len(argv) > 1:
            sys.stderr.write(
                f"Unexpected arguments: {list(argv[1:])}. Flags look like "
                "--name=value.\n"
            )
            return 2
        if not flags.FLAGS["verbosity"].present:
            absl_logging.set_verbosity(absl_logging.ERROR)
        logging.getLogger("dlfa_tf").setLevel(logging.WARNING)
        return exit_code(main)

    def parse(argv: Sequence[str]) -> list[str]:
        # The file of `main`: a command's `__main__` says nothing.
        module = sys.modules[main.__module__]
        help_text.print_if_asked(argv, module, first)
        return parse_flags(argv)

    app.run(wrapped, flags_parser=parse)


def exit_code(main: Callable[[], None]) -> int:
    """Calls `main`, whose flags are parsed, and says what went wrong.

    Returns the code of `run_program`; errors that are not the user's are
    raised.
    """
    try:
        main()
        return 0
    except _USER_ERRORS as error:
        if absl_logging.level_debug():
            raise
        sys.stderr.write(f"Error: {_explained(error)}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130
    except Exception as error:
        # Not an error of the program: a run that saved itself.
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        say(str(error))
        return code


def parse_flags(argv: Sequence[str]) -> list[str]:
    """Parses flags as absl does, and reads paths as the library does.

    Returns the arguments that are no flags. Exits with 2 for wrong usage, an
    empty value and a URL in place of a path.
    """
    try:
        try:
            rest = flags.FLAGS(argv)
        finally:
            # Before what others say of a flag that is not given.
            _refuse_empty()
        for name in flags.FLAGS:
            _take_path(flags.FLAGS[name])
        return rest
    except flags.Error as error:
        sys.stderr.write(
            f"Error: {_one_line(error)}\nAll flags and an example: --help\n"
        )
        sys.exit(2)


def _refuse_empty() -> None:
    """Refuses `--model=$UNSET`, which would be as if it was not given."""
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        empty = flag.present and flag.value in ("", [])
        if empty and flag.default not in ("", []):
            raise flags.IllegalFlagValueError(
                f"flag --{name}=: the value is empty. Received: ''. Accepted: "
                "a value, or the flag left out."
            )


def _take_path(flag: Any) -> None:
    """Reads the value of a flag as `files.user_path` does, if it is a path.

    A shell leaves `~` as it is after `--output_dir=`.
    """
    try:
        if isinstance(flag.value, str):
            flag.value = _expanded(flag.name, flag.value)
        elif isinstance(flag.value, list):
            flag.value = [_expanded(flag.name, item) for item in flag.value]
    except ValueError as error:
        raise flags.IllegalFlagValueError(
            f"flag --{flag.name}: {error}"
        ) from None


def _expanded(name: str, item: Any) -> Any:
    """A value with the home folder for `~`; of `inside=outside` in outside.

    ValueError when it begins as no path of a user may.
    """
    if not isinstance(item, str):
        return item
    inside, equals, outside = item.rpartition("=")
    if outside.startswith(("~", "file://")):
        files.user_path(outside, name)
    # A slash at its end stays.
    return inside + equals + os.path.expanduser(outside)


def _explained(error: BaseException) -> str:
    """A message that names the flag, and says what would be accepted.

    The library names its arguments and the system none, whatever flag they
    come from; the value tells.
    """
    text = with_accepted(error)
    found = {
        value: name
        for name in flags.FLAGS
        if flags.FLAGS[name].present
        for value in _paths_of(flags.FLAGS[name].value)
        # A name without a folder may stand for something else.
        if ("/" in value and value in text)
        or value == getattr(error, "filename", None)
    }
    names = {
        name
        for value, name in found.items()
        # Not a folder that another value lies in.
        if not any(x != value and x.startswith(value) for x in found)
    }
    if not names or any(f"`{x}`" in text or f"--{x}" in text for x in names):
        return text
    return f"{', '.join(f'--{x}' for x in sorted(names))}: {text}"


def with_accepted(error: BaseException) -> str:
    """A message on one line; of the system's errors with what is accepted."""
    text = _one_line(error)
    number = error.errno if isinstance(error, OSError) else None
    if number in _ACCEPTED and "Accepted" not in text:
        text = f"{text.removesuffix('.')}. Accepted: {_ACCEPTED[number]}."
    return text


def _paths_of(value: Any) -> list[str]:
    """Values of a flag that may be paths, as messages show them."""
    values = value if isinstance(value, list) else [value]
    found = [x for x in values if isinstance(x, str) and "://" not in x]
    # `inside=outside` and `de:FILE` are more than a path.
    found += [re.split("[=:]", item)[-1] for item in found]
    return [path.rstrip("/") for path in found if path.rstrip("/")]


def _one_line(error: BaseException) -> str:
    return checks.one_line(error) or type(error).__name__


def say(message: str) -> None:
    """Prints a line of progress at once."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()
