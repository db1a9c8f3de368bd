"""Entries that take a path, each with something that it finds there."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from unittest import mock

from dlfa_tf.data import tasks
from dlfa_tf.data.sources import Source
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.runs import load
from dlfa_tf.runs import run_folder
from dlfa_tf.scoring import prediction_files
from tools.input_kinds import Kind

_NAME = "things"


def _home(name: str) -> pathlib.Path:
    return pathlib.Path(os.environ["HOME"]) / name


KINDS = [
    Kind("str", lambda: str(_home(_NAME))),
    Kind("`pathlib.Path`", lambda: _home(_NAME)),
    Kind("bytes", lambda: os.fsencode(_home(_NAME))),
    Kind("`~/...`", lambda: f"~/{_NAME}"),
    Kind("with a slash at its end", lambda: f"{_home(_NAME)}/"),
    Kind("a folder that is not there", lambda: str(_home("nothing"))),
    Kind("a file in place of a folder", lambda: str(_home("file"))),
    Kind("a list", lambda: [str(_home(_NAME))]),
    Kind("a number", lambda: 3),
    Kind("None", lambda: None),
    Kind("empty", lambda: ""),
]


@contextlib.contextmanager
def entries() -> Iterator[dict[str, Callable[[Any], str]]]:
    """Entries by name, in a home folder of their own."""
    with (
        tempfile.TemporaryDirectory() as home,
        mock.patch.dict(os.environ, {"HOME": home}),
    ):
        model = DLFATextClassifier.from_preset(
            "tiny", labels=["no", "yes"], last_layer=1
        )
        model.save_to_preset(str(_home(_NAME)))
        _home("file").write_text("", "utf-8")
        (_home(_NAME) / "panx").mkdir()
        labels = _home(_NAME) / "panx" / "test-en.tsv"
        labels.write_text("O\nB-PER\n\n", "utf-8")
        results = _home(_NAME) / run_folder.RESULTS
        results.write_text(f'{{"schema": {run_folder.SCHEMA}}}', "utf-8")
        found = {
            "`from_preset`": _yes(
                lambda path: DLFATextClassifier.from_preset(
                    path, load_weights=False
                )
            ),
            "`save_to_preset`": _saves(model),
            "`runs.load.load_model`": _finds_a_model,
            "`run_folder.read_results`": _yes(run_folder.read_results),
            "`Source(data_dir)`": _yes(_source),
            "`score_folders`": _yes(
                lambda path: prediction_files.score_folders(path, path)
            ),
        }
        yield found


def _source(path: Any) -> None:
    Source(task=tasks.get_task("ner"), name="files", data_dir=path)


def _finds_a_model(path: Any) -> str:
    with mock.patch.object(load.DLFATask, "from_preset"):
        load.load_model(path)
    return "yes"


def _yes(call: Callable[[Any], Any]) -> Callable[[Any], str]:
    def try_it(path: Any) -> str:
        call(path)
        return "yes"

    return try_it


def _saves(model: Any) -> Callable[[Any], str]:
    def try_it(path: Any) -> str:
        before = set(_home(".").iterdir())
        with contextlib.chdir(_home(".")):
            model.save_to_preset(path)
        new = {x.name for x in set(_home(".").iterdir()) - before}
        if new - {"nothing"}:
            raise AssertionError(f"{path!r} made {new}.")
        if new:
            (_home("nothing")).rename(_home("saved"))
            return "made"
        return "yes"

    return try_it
