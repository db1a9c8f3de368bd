"""Hands every kind of thing to every flag that names a file or a folder.

Programs run in this process up to the point where the work begins that all
flags had to be read for; what is cheap runs to its end. A refusal must name
flag or argument, the value, and what is accepted; nothing that was there may
change, and after a refusal nothing new may be there.
"""

import contextlib
import importlib
import io
import os
import pathlib
import re
import tempfile
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple
from unittest import mock

from absl import flags

from dlfa_tf import checks
from dlfa_tf.adapting import adapt
from dlfa_tf.models import presets
from dlfa_tf.models.task import DLFATask
from dlfa_tf.runs import processes
from dlfa_tf.serving import Client
from dlfa_tf.serving.export import export_module
from dlfa_tf.serving.show import page_server
from dlfa_tf.sweeps import sweep
from dlfa_tf.training import evaluating
from dlfa_tf.training import run
from tools import flag_things
from tools import unprivileged
from tools.flag_things import Given
from tools.flag_things import Kind
from trainers import common_flags


class Flag(NamedTuple):
    """A flag of a program.

    Attributes:
        program: name of the program.
        name: name of the flag.
        right: name of what it takes, in the home folder.
        others: flags that it needs, with `HOME` for the home folder.
        writes: whether it names what is written.
        value: the flag's value, with `PATH` for what is given.
        is_here: whether what it takes is at hand: some is gigabytes.
        keeps: whether answers before a fault are kept.
    """

    program: str
    name: str
    right: str
    others: tuple[str, ...] = ()
    writes: bool = False
    value: str = "PATH"
    is_here: bool = True
    keeps: bool = False

    @property
    def title(self) -> str:
        """As the table calls it."""
        value = self.value.replace("PATH", "...")
        more = "" if value == "..." else f"={value}"
        return f"`{self.program} --{self.name}{more}`"


_POS = ("--task=pos", "--data_source=sample")
_DATA = ("--task=pos", "--data_source=files")
_TINY = ("--preset=tiny", "--sequence_length=32")
_NEW = "--output_dir=HOME/new"
_RUN = ("--model=HOME/run",)
_TEXTS = "--texts=HOME/texts/de.txt"
_ADAPT = ("--sequence_length=16", "--steps=2", "--held_back=1")
_OUT = "--output=HOME/new.txt"

TABLES: dict[str, list[Flag]] = {
    "Flags of trained models": [
        Flag("evaluate", "model", "run", (*_POS, _NEW, "--languages=de")),
        Flag("export", "model", "run", (
            "--name=x", "--saved_models_dir=HOME/new")),
        Flag("export", "check", "exports/pos/1"),
        Flag("predict", "model", "run", (
            "--input=HOME/texts/de.txt", _OUT)),
        Flag("show", "model", "run", ("--port=0",)),
        Flag("show", "compare", "run", (*_RUN, "--port=0")),
    ],
    "Flags of encoders and bundles": [
        Flag("train", "preset", "preset", (
            *_POS, _NEW, "--sequence_length=32")),
        Flag("sweep", "preset", "preset", (
            "--tasks=pos", "--data_source=sample", "--systems=D_1", _NEW)),
        Flag("adapt", "preset", "preset", (_TEXTS, _NEW, *_ADAPT)),
        Flag("prepare", "preset", "preset", _POS),
        Flag("demo", "preset", "preset", (
            "--fusion_layer=1", _NEW, "--saved_models_dir=HOME/new2")),
        Flag("train", "bundle", "x.bundle", (_NEW, "--languages=de")),
        Flag("sweep", "bundle", "x.bundle", ("--systems=baseline", _NEW,
                                             "--languages=de")),
    ],
    "Flags of folders to read": [
        Flag("train", "data_dir", "data", (
            *_DATA, *_TINY, _NEW, "--languages=de")),
        Flag("sweep", "data_dir", "data", (
            "--tasks=pos", *_TINY, "--systems=baseline", _NEW)),
        Flag("evaluate", "data_dir", "data", (
            *_DATA, *_RUN, _NEW, "--languages=de")),
        Flag("prepare", "data_dir", "data", _DATA),
        Flag("prepare", "originals_dir", "originals", (
            *_DATA, "--data_dir=HOME/new")),
        Flag("prepare", "manual_dir", "data", (
            "--task=pos", "--data_source=tfds", "--data_dir=HOME/new"),
            is_here=False),
        Flag("prepare", "new_task", "data"),
        Flag("evaluate", "predictions_dir", "answers", (
            "--labels_dir=HOME/gold",)),
        Flag("evaluate", "labels_dir", "gold", (
            "--predictions_dir=HOME/answers",)),
        Flag("analyze", "runs_dir", "run", (_NEW, "--num_samples=100")),
        Flag("analyze", "data_dir", "data", (
            _NEW, "--runs_dir=HOME/file_run", "--num_samples=100")),
    ],
    "Flags of files to read": [
        Flag("adapt", "texts", "texts/de.txt", (
            "--preset=tiny", _NEW, *_ADAPT)),
        Flag("adapt", "texts", "texts/de.txt", (
            "--preset=tiny", _NEW, *_ADAPT), value="de:PATH"),
        Flag("export", "vocabulary_of", "texts/de.txt", (
            *_RUN, "--name=x", "--saved_models_dir=HOME/new")),
        Flag("export", "check_config", "server/model.config"),
        Flag("predict", "input", "texts/de.txt", (*_RUN, _OUT), keeps=True),
        Flag("predict", "ca_file", "tls/ca.pem", (
            "--server=127.0.0.1:1", "--name=x", "--input=HOME/texts/de.txt",
            _OUT)),
        Flag("train", "task", "task/task.toml", (*_TINY, _NEW)),
        Flag("sweep", "tasks", "task/task.toml", (
            *_TINY, "--systems=baseline", _NEW)),
        Flag("prepare", "task", "task/task.toml"),
        Flag("evaluate", "task", "task/task.toml", (
            *_RUN, _NEW, "--languages=de")),
        Flag("analyze", "tasks", "task/task.toml", (
            _NEW, "--runs_dir=HOME/intent_run", "--num_samples=100")),
    ],
    "Flags of what is written": [
        Flag("train", "output_dir", "new", (*_POS, *_TINY), writes=True),
        Flag("sweep", "output_dir", "new", (
            "--tasks=pos", "--data_source=sample", *_TINY,
            "--systems=baseline"), writes=True),
        Flag("adapt", "output_dir", "new", (
            "--preset=tiny", _TEXTS, *_ADAPT), writes=True),
        Flag("evaluate", "output_dir", "new", (
            *_POS, *_RUN, "--languages=de"), writes=True),
        Flag("analyze", "output_dir", "new", (
            "--runs_dir=HOME/run", "--num_samples=100"), writes=True),
        Flag("demo", "output_dir", "new", (
            "--preset=tiny", "--fusion_layer=1",
            "--saved_models_dir=HOME/new2"), writes=True),
        Flag("demo", "saved_models_dir", "new", (
            "--preset=tiny", "--fusion_layer=1", "--output_dir=HOME/new2"),
            writes=True),
        Flag("export", "saved_models_dir", "new", (*_RUN, "--name=x"),
             writes=True),
        Flag("prepare", "report_dir", "new", (*_POS, "--check"), writes=True),
        Flag("prepare", "bundle", "new.bundle", (
            *_POS, *_TINY, "--languages=de"), writes=True),
        Flag("predict", "output", "new.txt", (
            *_RUN, "--input=HOME/texts/de.txt"), writes=True),
    ],
}  # fmt: skip


# A file that is looked for is expected, a rule of a check has failed.
_ACCEPTED = f"{flag_things.ACCEPTED}|[Ee]xpected|must|FAILED"
# Kinds of the right thing.
_RIGHT = {kind.name for kind in flag_things.KINDS[:4]}


class _Begins(Exception):
    """Ends a program where its work begins."""


def _begin(*args: Any, **kwargs: Any) -> Any:
    raise _Begins


def _check_here(_: str, arguments: list[str]) -> None:
    """What `sweeps.preset_check` does in a process of its own."""
    try:
        presets.check_preset_length(arguments[0], int(arguments[1]))
    except (ValueError, TypeError, OSError) as error:
        raise ValueError(checks.one_line(error)) from None


def _remembering() -> Any:
    """`DLFATask._from_saved` that builds the model of a folder once.

    What is checked of a folder is checked before.
    """
    build = vars(DLFATask)["_from_saved"].__func__
    models: dict[Any, Any] = {}

    def from_saved(cls: Any, preset: str, *more: Any) -> Any:
        key = cls, os.path.realpath(os.path.expanduser(preset)), repr(more)
        if key not in models:
            models[key] = build(cls, preset, *more)
        return models[key]

    return classmethod(from_saved)


@contextlib.contextmanager
def walking() -> Iterator[pathlib.Path]:
    """A home folder full of things, in which programs do not work."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as cache,
        contextlib.ExitStack() as stack,
    ):
        stack.enter_context(
            mock.patch.dict(os.environ, {"HOME": home, "DLFA_TF_CACHE": cache})
        )
        flag_things.make_things(pathlib.Path(home))
        stack.enter_context(flag_things.untraced())
        for place, name in (
            (run, "Engine"),
            (adapt, "_run"),
            (sweep.Sweep, "run"),
            (evaluating, "evaluate_model"),
            (export_module, "export_saved_model"),
            (page_server, "PageServer"),
            (Client, "signatures"),
        ):
            stack.enter_context(mock.patch.object(place, name, _begin))
        stack.enter_context(
            mock.patch.object(DLFATask, "_from_saved", _remembering())
        )
        stack.enter_context(mock.patch.object(processes, "check", _check_here))
        stack.enter_context(contextlib.chdir(home))
        yield pathlib.Path(home)


def word(flag: Flag, kind: Kind, home: pathlib.Path) -> str:
    """A word of the table: what a program makes of a kind of thing.

    Args:
        flag: one of `TABLES`.
        kind: one of `flag_things.KINDS`.
        home: folder of `walking`; what a program writes is removed again.

    Returns:
        `"yes"`, `"no"`, or `""` where there is no such thing.

    Raises:
        AssertionError: when something that was there changed, and when a
            refusal left something or does not say why.
    """
    given = kind.make(Given(home, flag.right, flag.writes))
    if given is None or (kind.name in _RIGHT and not flag.is_here):
        return ""
    before = flag_things.snapshot(home)
    value = flag.value.replace("PATH", given)
    arguments = [x.replace("HOME", str(home)) for x in flag.others]
    message = _refusal(flag.program, [*arguments, f"--{flag.name}={value}"])
    after = flag_things.snapshot(home)
    problems = [x for x in before if x not in after or (
        after[x] != before[x])]  # fmt: skip
    new = [path for path in after if path not in before]
    _remove(new)
    if problems:
        raise AssertionError(f"{flag.title}, {kind.name}: changed {problems}")
    if message is None:
        return "yes"
    if new and not flag.keeps:
        raise AssertionError(f"{flag.title}, {kind.name}: left {new}")
    # `--tasks` is of several tasks. What is wrong with a line is said by its
    # number, beside the answers.
    lines = flag.keeps and re.match("Input line.* expected", message)
    named = flag.name.rstrip("s")
    if not lines and not flag_things.says_why(message, given, named, _ACCEPTED):
        raise AssertionError(
            f"{flag.title}, {kind.name} ({value}) is refused without "
            f"saying why: {message}"
        )
    return "no"


def _remove(new: list[str]) -> None:
    for name in sorted(new, reverse=True):
        path = pathlib.Path(name)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _refusal(program: str, arguments: list[str]) -> str | None:
    """What a program says on standard error and ends; None when it works."""
    module = importlib.import_module(f"trainers.{program}")
    before = set(flags.FLAGS)
    said = io.StringIO()
    try:
        with (
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(said),
            unprivileged.unprivileged(),
        ):
            module.define_flags()
            common_flags.parse_flags([program, *arguments])
            code = common_flags.exit_code(module.main)
        return said.getvalue() if code else None
    except SystemExit as error:
        return said.getvalue() if error.code else None
    except _Begins:
        return None
    finally:
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)
        flags.FLAGS.unparse_flags()
