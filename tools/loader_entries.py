"""Hands every kind of thing to every public function that loads something."""

import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import tensorflow as tf

from dlfa_tf.analysis import run_index
from dlfa_tf.data import tasks
from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.models import presets
from dlfa_tf.runs import load
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import settings
from dlfa_tf.serving import Client
from dlfa_tf.serving.export import lint
from dlfa_tf.serving.export import metadata_file
from dlfa_tf.training import bundle
from dlfa_tf.training.checkpoints import CheckpointStore
from tools import flag_things
from tools import unprivileged
from tools.flag_things import Given
from tools.flag_things import Kind

_REFUSED = (ValueError, TypeError, OSError)


class Loader(NamedTuple):
    """A function that loads something.

    Attributes:
        title: what the table calls it.
        right: name of what it loads, in the home folder.
        call: a call of it, with the path and the home folder.
        finds_none: whether it returns None where there is nothing.
    """

    title: str
    right: str
    call: Callable[[Any, pathlib.Path], Any]
    finds_none: bool = False


def _model(home: pathlib.Path) -> Any:
    """A model whose weights are loaded anew; made once."""
    if home not in _MODELS:
        model = DLFATokenClassifier.from_preset(str(home / "run" / "model"))
        model.backbone.enable_lora(2)
        model.save_weights(home / "all.weights.h5")
        model.backbone.save_lora_weights(home / "some.lora.h5")
        _MODELS[home] = model
    return _MODELS[home]


_MODELS: dict[pathlib.Path, Any] = {}


def make_more_things(home: pathlib.Path) -> None:
    """Fills a home folder with what only these functions load."""
    _model(home)
    arrays = [x.numpy() for x in (tf.zeros(3), tf.ones(2))]
    CheckpointStore(home / "checkpoints").save(1, arrays, {"epoch": 1}, None)


def _first_export(path: Any, _: pathlib.Path) -> None:
    with Client.of_export(path) as client:
        client.status()


def _refuse_problems(path: Any, _: pathlib.Path) -> None:
    problems = [f.problems for f in lint.check_export(path) if f.problems]
    if problems:
        # What it is for: it says in its answer what is wrong.
        raise ValueError(f"`folder`: {problems}. Accepted: an export")


LOADERS = [
    Loader("`presets.load_encoder`", "preset",
           lambda path, _: presets.load_encoder(path)),
    Loader("`presets.load_tokenizer`", "preset",
           lambda path, _: presets.load_tokenizer(path)),
    Loader("`DLFATokenClassifier.from_preset`", "run/model",
           lambda path, _: DLFATokenClassifier.from_preset(
               path, **({} if str(path).rstrip("'/").endswith("model") else
                        {"labels": ["a", "b"]}))),
    Loader("`DLFABackbone.from_preset`", "run/model",
           lambda path, _: DLFABackbone.from_preset(path)),
    Loader("`load_weights`", "all.weights.h5",
           lambda path, home: _model(home).load_weights(path)),
    Loader("`load_lora_weights`", "some.lora.h5",
           lambda path, home: _model(home).backbone.load_lora_weights(path)),
    Loader("`runs.load.load_model`", "run",
           lambda path, _: load.load_model(path)),
    Loader("`run_folder.read_results`", "run",
           lambda path, _: run_folder.read_results(path)),
    Loader("`settings.read_config`", "run",
           lambda path, _: settings.read_config(path)),
    Loader("`analysis.load_runs`", "run",
           lambda path, _: run_index.load_runs(path)),
    Loader("`read_bundle`", "x.bundle",
           lambda path, _: bundle.read_bundle(path)),
    Loader("`CheckpointStore.load`", "checkpoints",
           lambda path, _: CheckpointStore(path).load(set_aside=False),
           finds_none=True),
    Loader("`Client.of_export`", "exports/pos/1", _first_export),
    Loader("`check_export`", "exports/pos/1", _refuse_problems),
    Loader("`read_metadata`", "exports/pos/1",
           lambda path, _: metadata_file.read_metadata(path)),
    Loader("`data.find_task`", "task/task.toml",
           lambda path, _: tasks.find_task(path)),
]  # fmt: skip


def _half(given: Given) -> str:
    """A copy of which every file is cut in half."""
    path = given.home / "half" / given.path.name
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    if given.path.is_dir():
        shutil.copytree(given.path, path)
        found = [x for x in path.rglob("*") if x.is_file()]
    else:
        shutil.copyfile(given.path, path)
        found = [path]
    for file in found:
        os.truncate(file, file.stat().st_size // 2)
    return str(path)


KINDS = [
    Kind("str", lambda x: str(x.path)),
    Kind("`pathlib.Path`", lambda x: x.path),
    Kind("bytes", lambda x: os.fsencode(x.path)),
    *(k for k in flag_things.KINDS[1:] if k.name != "empty"),
    Kind("half of every file of it", _half),
    Kind("None", lambda x: None),
    Kind("a list", lambda x: [str(x.path)]),
    Kind("a number", lambda x: 3),
    Kind("empty", lambda x: ""),
]


def word(loader: Loader, kind: Kind, home: pathlib.Path) -> str:
    """A word of the table: what a function makes of a kind of thing.

    Args:
        loader: one of `LOADERS`.
        kind: one of `KINDS`.
        home: folder of `flag_entries.walking`, after `make_more_things`.

    Returns:
        `"yes"`, `"none"`, `"no"`, or `""` where there is no such thing.

    Raises:
        AssertionError: when something changed in the folder, and when a
            refusal does not say why.
    """
    value = kind.make(Given(home, loader.right))
    if value is None and kind.name != "None":
        return ""
    before = flag_things.snapshot(home)
    try:
        with unprivileged.unprivileged():
            found = loader.call(value, home)
        result = "none" if loader.finds_none and found is None else "yes"
    except _REFUSED as error:
        # A path that is shown says which argument it is, in what reads it.
        is_path = bool(value) and isinstance(value, (str, os.PathLike))
        named = "" if is_path else r"`\w+`"
        if not flag_things.says_why(str(error), value, named):
            raise AssertionError(
                f"{loader.title}, {kind.name} ({value!r}) is refused without "
                f"saying why: {type(error).__name__} {error}"
            ) from error
        result = "no"
    if flag_things.snapshot(home) != before:
        raise AssertionError(f"{loader.title}, {kind.name} changed something")
    return result
