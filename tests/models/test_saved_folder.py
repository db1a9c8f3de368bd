"""A folder that a model is saved in is whole, or as it was before."""

import os

import pytest

from dlfa_tf import manifest
from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import saved_folder


def save(folder, content):
    with saved_folder.written(folder) as place:
        place.mkdir()
        (place / "weights").write_text(content)


def test_new_folder_and_its_parents_are_made(tmp_path, monkeypatch):
    save(tmp_path / "a" / "b", "one")
    assert (tmp_path / "a" / "b" / "weights").read_text() == "one"
    manifest.check(tmp_path / "a" / "b")
    monkeypatch.setenv("HOME", str(tmp_path))
    save("~/home", "two")
    assert (tmp_path / "home" / "weights").read_text() == "two"


def test_files_of_other_names_stay(tmp_path):
    save(tmp_path / "m", "one")
    (tmp_path / "m" / "README.md").write_text("of the user")
    save(tmp_path / "m", "two")
    names = sorted(os.listdir(tmp_path / "m"))
    assert names == ["README.md", manifest.NAME, "weights"]
    manifest.check(tmp_path / "m")


def test_error_leaves_what_was_there(tmp_path):
    save(tmp_path / "m", "one")
    with pytest.raises(OSError, match="could not be saved in .*save once more"):
        with saved_folder.written(tmp_path / "m") as place:
            place.mkdir()
            raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == ["m"]
    manifest.check(tmp_path / "m")


def test_folder_that_was_being_replaced_is_refused(tmp_path, monkeypatch):
    """As a process that is killed between two files leaves it."""
    save(tmp_path / "m", "one")
    replace = os.replace

    def stop(source, target):
        if "weights" in str(target):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "m", "two")
    monkeypatch.undo()
    with pytest.raises(ValueError, match="not written to the end"):
        manifest.check(tmp_path / "m")
    save(tmp_path / "m", "two")
    manifest.check(tmp_path / "m")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "`preset` holds no DLFABackbone.*holds no model. Accepted: "),
        ('{"config": {"task": "pos"}}', "holds no model.*of a run, its model/"),
        (
            '{"registered_name": "keras_hub>BertBackbone"}',
            "which holds a keras_hub>BertBackbone. Accepted: a folder written",
        ),
    ],
)
def test_folders_of_something_else_are_no_backbone(tmp_path, config, message):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError, match=message):
        DLFABackbone.from_preset(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "a.txt", "a.txt/b"])
def test_folder_that_is_not_there_is_no_backbone(tmp_path, name):
    (tmp_path / "a.txt").touch()
    with pytest.raises(FileNotFoundError, match="`preset` names no folder. Re"):
        DLFABackbone.from_preset(str(tmp_path / name))


def test_classes_of_others_are_let_through(tmp_path):
    (tmp_path / "config.json").write_text('{"registered_name": "mine>Mine"}')
    saved_folder.check_class(tmp_path, "dlfa_tf>DLFABackbone")
