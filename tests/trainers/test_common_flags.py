"""Tests of how programs start and end."""

import pathlib
import subprocess
import sys

import pytest
from absl import flags

from trainers import analyze
from trainers import common_flags
from trainers import evaluate
from trainers import export
from trainers import predict

ROOT = pathlib.Path(__file__).parents[2]


def program(body, *arguments):
    """Runs a program whose `main` is `body`."""
    code = (
        "import sys\n"
        "from trainers import common_flags\n"
        "def main():\n"
        f"    {body}\n"
        "common_flags.run_program(main)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_success_is_zero():
    done = program("common_flags.say('done')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(
    "error",
    ["ValueError", "TypeError", "FileNotFoundError", "ImportError"],
)
def test_errors_of_the_user_are_one_line(error):
    done = program(f"raise {error}('a  wrong\\n value')")
    assert done.returncode == 1
    assert done.stderr == "Error: a  wrong value\n"


def test_error_without_a_message_has_its_name():
    assert program("raise ValueError").stderr == "Error: ValueError\n"


def test_debugging_shows_where_an_error_came_from():
    done = program("raise ValueError('wrong')", "--verbosity=1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_errors_of_the_program_have_a_traceback():
    done = program("raise RuntimeError('a bug')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_saved_run_ends_with_its_own_code():
    done = program(
        "from dlfa_tf.training.interruption import TrainingInterrupted as T; "
        "raise T('is saved')"
    )
    assert (done.returncode, done.stdout, done.stderr) == (75, "is saved\n", "")


def test_interruption_is_130():
    done = program("raise KeyboardInterrupt")
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


def test_arguments_that_are_no_flags_are_refused():
    done = program("pass", "task=pos")
    assert done.returncode == 2
    assert "Unexpected arguments: ['task=pos']" in done.stderr


def test_unknown_flags_are_refused():
    done = program("pass", "--taskk=pos")
    assert done.returncode == 2
    assert "'taskk'" in done.stderr
    assert "--help" in done.stderr


def test_log_messages_below_errors_are_silent():
    done = program(
        "from absl import logging; logging.warning('a'); logging.error('b')"
    )
    assert "b" in done.stderr
    assert "] a" not in done.stderr


def test_importing_defines_no_flags():
    modules = "analyze, demo, evaluate, export, predict, train"
    code = (
        "from absl import flags\n"
        "import absl.app, absl.logging\n"
        "before = set(flags.FLAGS)\n"
        f"from trainers import {modules}\n"
        "print(sorted(set(flags.FLAGS) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


@pytest.fixture
def choice():
    common_flags.define_choice("colour", None, ("red", "green"), "Colour.")
    yield flags.FLAGS
    delattr(flags.FLAGS, "colour")
    flags.FLAGS.unparse_flags()


def test_choice_accepts_its_values_and_none(choice):
    choice(["program", "--colour=red"])
    assert choice.colour == "red"
    choice.colour = None
    assert choice["colour"].help == "<red|green>: Colour."


@pytest.mark.parametrize(
    ("value", "hint"), [("gren", " Did you mean 'green'?"), ("7", "")]
)
def test_choice_offers_the_nearest_value(choice, value, hint):
    with pytest.raises(flags.IllegalFlagValueError) as caught:
        choice(["program", f"--colour={value}"])
    message = f"Received: {value!r}. Accepted: red, green.{hint}"
    assert str(caught.value).endswith(message)
    assert f"--colour={value}" in str(caught.value)


@pytest.mark.parametrize(
    ("called", "arguments"),
    [
        (analyze, ["--runs_dir=r", "--output_dir=o"]),
        (evaluate, ["--model=m", "--task=pos", "--output_dir=o"]),
        (export, ["--model=m", "--name=a"]),
        (predict, ["--model=m", "--input=text.txt"]),
    ],
    ids=["analyze", "evaluate", "export", "predict"],
)
def test_modules_are_imported_before_a_model_is_loaded(
    call, tmp_path, monkeypatch, called, arguments
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("a b\n")
    with pytest.raises(ImportError, match="'no_such_module' cannot be import"):
        call(called, *arguments, "--import_module=no_such_module")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            PermissionError(13, "Permission denied", "/d/in/file.tsv"),
            "--data: [Errno 13] Permission denied: '/d/in/file.tsv'. Accepted: "
            "what this user may read, or write to.",
        ),
        (
            ValueError("'/d/in' holds nothing."),
            "--data: '/d/in' holds nothing.",
        ),
        (ValueError("`data` is '/d/in'."), "`data` is '/d/in'."),
        (ValueError("/e: damaged"), "--texts: /e: damaged"),
        (ValueError("/other: damaged"), "/other: damaged"),
        (ValueError("x is no word"), "x is no word"),
        (
            FileNotFoundError(2, "No such file", "x"),
            "--texts: [Errno 2] No such file: 'x'. Accepted: what is there.",
        ),
    ],
)
def test_errors_name_the_flag_that_the_value_is_of(error, message, monkeypatch):
    values = flags.FlagValues()
    flags.DEFINE_string("data", None, "", flag_values=values)
    flags.DEFINE_list("texts", None, "", flag_values=values)
    values(["program", "--data=/d/in/", "--texts=de:/e,x"])
    monkeypatch.setattr(flags, "FLAGS", values)
    assert common_flags._explained(error) == message


def test_home_folder_in_every_flag(monkeypatch):
    """A shell leaves `~` as it is after `--output_dir=`."""
    monkeypatch.setenv("HOME", "/somewhere")
    values = flags.FlagValues()
    flags.DEFINE_string("output_dir", None, "", flag_values=values)
    flags.DEFINE_string("input", "-", "", flag_values=values)
    flags.DEFINE_list("texts", [], "", flag_values=values)
    flags.DEFINE_multi_string("mount", [], "", flag_values=values)
    flags.DEFINE_integer("seed", 1, "", flag_values=values)
    monkeypatch.setattr(common_flags.flags, "FLAGS", values)
    common_flags.parse_flags(
        ["program", "--output_dir=~/runs/", "--texts=~/a,b~,./~",
         "--mount=/models=~/saved", "--seed=3"]
    )  # fmt: skip
    assert values.output_dir == "/somewhere/runs/"
    assert values.input == "-"
    assert values.texts == ["/somewhere/a", "b~", "./~"]
    assert values.mount == ["/models=/somewhere/saved"]
    assert values.seed == 3


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "flag --model=: the value is empty. Received: ''"),
        ("file:///a/b", "Received: 'file:///a/b', a URL. Accepted: '/a/b'"),
    ],
)
def test_values_that_are_no_path_are_refused(
    value, message, monkeypatch, capsys
):
    values = flags.FlagValues()
    flags.DEFINE_string("model", None, "", flag_values=values)
    monkeypatch.setattr(flags, "FLAGS", values)
    with pytest.raises(SystemExit) as stop:
        common_flags.parse_flags(["program", f"--model={value}"])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
