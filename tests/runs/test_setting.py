"""Tests of the declaration of settings, and of what follows from it."""

import dataclasses
import inspect
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from dlfa_tf.runs.setting import REQUIRED
from dlfa_tf.runs.setting import setting
from dlfa_tf.runs.setting import settings_of
from dlfa_tf.runs.settings import SETTINGS
from dlfa_tf.runs.settings import TrainConfig

ROOT = pathlib.Path(__file__).parents[2]
DECLARED = """
    smoothing: float = _training(
        "Share of the labels that is spread", 0.5, in_tables="named", low=0,
        below=1
    )
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    name: str = setting("data", "A name")
    colour: str = setting("model", "A colour", choices=("red", "green"))
    count: int | None = setting("place", "A count", None, low=2)
    share: float | None = setting(
        "data", "A share", 0.5, positive=True, below=1
    )
    rate: float = setting("data", "A rate", 1.0, positive=True)
    minutes: float = setting("data", "Minutes", 1.0, low=0, finite=False)
    parts: tuple[str, ...] = setting("data", "Parts", ("a",))
    free: bool = setting("data", "Whether", False, in_tables="free")


FOUND = settings_of(Example)


def test_name_kind_and_default_are_those_of_the_field():
    assert {name: x.kind for name, x in FOUND.items()} == {
        "name": str,
        "colour": str,
        "count": int,
        "share": float,
        "rate": float,
        "minutes": float,
        "parts": tuple,
        "free": bool,
    }
    assert [x.name for x in FOUND.values()] == list(FOUND)
    assert [name for name, x in FOUND.items() if x.optional] == [
        "count",
        "share",
    ]
    assert FOUND["name"].default is REQUIRED
    assert FOUND["colour"].default == Example(name="n").colour == "red"


def test_group_decides_what_a_table_does_unless_it_is_said():
    found = {name: x.in_tables for name, x in FOUND.items()}
    assert found["name"] == "refused"
    assert found["colour"] == "named"
    assert found["count"] == found["free"] == "free"


def test_unknown_group_is_refused():
    with pytest.raises(KeyError, match="nowhere"):
        setting("nowhere", "A text")


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("name", ""),
        ("colour", "red, green"),
        ("count", "2 or more"),
        ("share", "above 0 and below 1"),
        ("rate", "above 0"),
    ],
)
def test_accepted_values_are_put_into_words(name, accepted):
    assert FOUND[name].accepted == accepted


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("colour", "gren", ValueError, "Received: 'gren'.*mean 'green'"),
        ("colour", None, ValueError, "Received: None.*'red', 'green'"),
        ("count", 1, ValueError, "too small. Received: 1. Accepted: 2 or more"),
        ("share", 1.0, ValueError, "1.0. Accepted: above 0 and below 1, or No"),
        ("share", float("nan"), ValueError, "out of range. Received: nan"),
        ("rate", float("inf"), ValueError, "positive and finite. Received: in"),
        ("minutes", float("nan"), ValueError, "too small. Received: nan"),
        ("parts", ["a"], TypeError, "must be a tuple"),
        ("parts", (), ValueError, r"Received: \(\). Accepted: one or more"),
    ],
)
def test_wrong_value_is_named_with_what_is_accepted(name, value, error, words):
    with pytest.raises(error, match=f"`{name}`.*{words}"):
        FOUND[name].check_value(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", None),
        ("count", 2),
        ("share", 0.5),
        ("minutes", float("inf")),
        ("parts", ("a", "b")),
    ],
)
def test_value_that_is_accepted(name, value):
    FOUND[name].check_value(value)


def test_tuple_is_a_list_in_json():
    assert FOUND["parts"].to_json(("a",)) == ["a"]
    assert FOUND["parts"].from_json(["a"]) == ("a",)
    assert FOUND["rate"].from_json(FOUND["rate"].to_json(2.0)) == 2.0


def test_defaults_are_accepted():
    for name, declared in SETTINGS.items():
        if declared.default is not REQUIRED:
            declared.check_value(declared.default)
            assert getattr(TrainConfig, name) == declared.default


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the tree with one more setting, declared in one file."""
    root = tmp_path_factory.mktemp("copied")
    for folder in ("dlfa_tf", "tools", "trainers"):
        shutil.copytree(
            ROOT / folder,
            root / folder,
            ignore=lambda path, names: [
                x
                for x in names
                if x == "__pycache__"
                or (
                    pathlib.Path(path, x).is_file()
                    and not x.endswith((".py", ".toml"))
                )
            ],
        )
    file = root / pathlib.Path(inspect.getfile(TrainConfig)).relative_to(ROOT)
    text = file.read_text("utf-8")
    assert text.count("    def __post_init__(self)") == 1
    file.write_text(
        text.replace(
            "\n    def __post_init__(self)",
            DECLARED + "\n    def __post_init__(self)",
        ),
        "utf-8",
    )
    return root


def start(root, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )


def test_setting_is_added_in_one_file(copied, tmp_path):
    case = pathlib.Path(__file__).with_name("new_setting_case.py")
    done = start(copied, str(case), str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert (report["default"], report["given"]) == (0.5, 0.25)
    assert report["read"] and report["old"]
    assert report["refused"] == (
        "`smoothing` is out of range. Received: 1.0. Accepted: 0 to below 1."
    )
    assert report["variant"] == "smoothing=0.25"
    assert report["no variant"] == ""
    assert report["differences"] == {}
    assert "smoothing=0.25 (the run has 0.5)" in report["resumed"]
    row = "| `smoothing` | 0 to below 1 | 0.5 | named | Share of the labels"
    assert row in report["document"]
    assert report["help"] == "Share of the labels that is spread."


def test_help_has_the_added_setting(copied):
    text = start(copied, "-m", "trainers.train", "--helpfull").stdout
    assert "--smoothing: Share of the labels that is spread." in text
    wrong = start(
        copied, "-m", "trainers.train", "--smoothing=2", "--task=pos",
        "--output_dir=o",
    )  # fmt: skip
    assert wrong.returncode == 2
    assert "--smoothing=2" in wrong.stderr
