"""Disks that fill up at any write, and folders that cannot be written.

What was there before stays, nothing half-written has the name of a whole file,
the message says what to do, and with room the same call works.
"""

import dataclasses
import os
import pathlib

import numpy as np
import pytest

import dlfa_tf
from dlfa_tf import files
from dlfa_tf.data import cache
from dlfa_tf.data.readers import PairExample
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.runs import load
from dlfa_tf.runs.settings import default_config
from dlfa_tf.scoring.prediction_files import write_predictions
from dlfa_tf.serving import check_export
from dlfa_tf.serving import export_saved_model
from dlfa_tf.training.bundle_file import read_bundle_file
from dlfa_tf.training.bundle_file import write_bundle_file
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.run import run
from trainers import text_files

pytestmark = [
    pytest.mark.faults,
    pytest.mark.filterwarnings("ignore:Even though the:UserWarning"),
    # HDF5 cannot close a file that it could not write.
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]

PAGE = 4096
ROOM = 64 << 20
# Sizes of disks that a writer is tried on, from none to enough.
SIZES = int(os.environ.get("DLFA_TF_FAULT_DISKS", "24"))


@dataclasses.dataclass(frozen=True)
class Writer:
    """Something that writes below a folder, and reads what it wrote."""

    write: object
    read: object
    errors: tuple = (OSError,)
    # Files that are whole without the others.
    alone: tuple = ()


def size_of(folder):
    """Pages that everything in a folder takes, in bytes."""
    found = [p for p in folder.rglob("*") if p.is_file()]
    return sum(-(-p.stat().st_size // PAGE) * PAGE for p in found)


def names_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def tagger():
    return dlfa_tf.DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["A", "B"], sequence_length=8
    )


def weights_are(model, found):
    return all(
        np.array_equal(a, b)
        for a, b in zip(model.get_weights(), found.get_weights(), strict=True)
    )


def writers(model, tmp_path):
    arrays = [np.arange(20000, dtype="float32")] * 4

    def checkpoints(folder):
        CheckpointStore(folder / "c").save(3, arrays, {"a": 1}, (2, arrays))

    def preset(folder):
        model.save_to_preset(str(folder / "preset"))

    def read_preset(folder):
        found = dlfa_tf.DLFATokenClassifier.from_preset(str(folder / "preset"))
        return weights_are(model, found)

    def weights(folder):
        model.save_weights(folder / "m.weights.h5")

    def read_weights(folder):
        found = tagger()
        found.load_weights(folder / "m.weights.h5")
        return weights_are(model, found)

    def run_model(folder):
        load.save_model(model, folder / "model")

    def bundle(folder):
        write_bundle_file(
            folder / "x.bundle", {"a": 1}, dict(enumerate_names(arrays))
        )

    def bundle_weights(folder):
        load.save_bundle_weights(model, np.arange(5), folder)

    def read_bundle_weights(folder):
        _, found = load.read_bundle_weights(folder)
        return len(found) == len(model.get_weights())

    def predictions(folder):
        write_predictions(folder, "test", "de", [["A"] * 50] * 900)

    def read_predictions(folder):
        text = (folder / "predictions/test-de.tsv").read_text()
        return text.count("A\n") == 45000

    def labelled(folder):
        with text_files.create_text(str(folder / "out.txt")) as file:
            for _ in range(9000):
                file.write("der/A Fluss/B\n")

    def read_labelled(folder):
        return (folder / "out.txt").read_text().count("\n") == 9000

    return {
        "preset": Writer(preset, read_preset),
        "weights": Writer(weights, read_weights),
        "model of a run": Writer(run_model, lambda f: load.load_model(str(f))),
        "weights.npz": Writer(bundle_weights, read_bundle_weights),
        "checkpoint": Writer(
            checkpoints,
            lambda f: CheckpointStore(f / "c").load(),
            alone=("c/best-00000002.npz",),
        ),
        "bundle": Writer(bundle, lambda f: read_bundle_file(f / "x.bundle")),
        "predictions": Writer(predictions, read_predictions),
        "labelled text": Writer(labelled, read_labelled),
    }


def enumerate_names(arrays):
    return [(f"a{i}", array) for i, array in enumerate(arrays)]


@pytest.fixture(scope="module")
def model():
    return tagger()


NAMES = list(writers(None, None))


@pytest.mark.parametrize("name", NAMES)
def test_writer_on_a_disk_that_is_full(
    name, model, tmp_path, small_disk, resize, count
):
    writer = writers(model, tmp_path)[name]
    whole = tmp_path / "whole"
    whole.mkdir()
    writer.write(whole)
    assert writer.read(whole)
    needed = size_of(whole)
    disk = small_disk(ROOM)
    (disk / "kept").write_text("of the user's own")
    complete = set(names_in(whole))
    for size in np.linspace(2 * PAGE, needed, SIZES).astype(int):
        resize(disk, int(size))
        try:
            writer.write(disk)
        except writer.errors as error:
            assert str(disk) in str(error) or "No space" in str(error), error
            count("disk full", f"{name} refused")
            # Folders may have been made; no file is left.
            left = [n for n in names_in(disk) if (disk / n).is_file()]
            assert set(left) <= {"kept", *writer.alone}, left
        else:
            assert writer.read(disk)
            count("disk full", f"{name} written")
            assert complete <= set(names_in(disk))
            break
    assert (disk / "kept").read_text() == "of the user's own"
    resize(disk, ROOM)
    for path in [p for p in disk.iterdir() if p.name != "kept"]:
        files.remove(path)
    writer.write(disk)
    assert writer.read(disk)


@pytest.mark.parametrize("name", NAMES)
def test_writer_where_nothing_may_be_written(
    name, model, tmp_path, small_disk, resize, count
):
    writer = writers(model, tmp_path)[name]
    disk = small_disk(ROOM)
    (disk / "kept").write_text("of the user's own")
    resize(disk, "ro")
    with pytest.raises(writer.errors, match="Read-only"):
        writer.write(disk)
    assert names_in(disk) == ["kept"]
    count("read-only folder", f"{name} refused")


def test_preset_saved_over_another_on_a_full_disk(
    model, tmp_path, small_disk, resize, count
):
    """The first one stays whole."""
    disk = small_disk(ROOM)
    folder = disk / "preset"
    model.save_to_preset(str(folder))
    before = size_of(disk)
    other = tagger()
    other.set_weights([x + 1 for x in other.get_weights()])
    for size in np.linspace(before + PAGE, 2 * before, SIZES).astype(int):
        resize(disk, int(size))
        try:
            other.save_to_preset(str(folder))
        except OSError as error:
            assert "kept" in str(error)
            found = dlfa_tf.DLFATokenClassifier.from_preset(str(folder))
            assert weights_are(model, found)
            count("disk full", "preset over another refused, the first kept")
        else:
            break
    resize(disk, ROOM)
    other.save_to_preset(str(folder))
    found = dlfa_tf.DLFATokenClassifier.from_preset(str(folder))
    assert weights_are(other, found)


def test_export_on_a_full_disk(model, tmp_path, small_disk, resize, count):
    disk = small_disk(ROOM)
    export_saved_model(model, disk / "m", 1, max_batch_size=1)
    needed = size_of(disk / "m")
    for size in np.linspace(0, needed, 6).astype(int)[1:]:
        resize(disk, int(needed + size))
        try:
            export_saved_model(model, disk / "m", 2, max_batch_size=1)
        except OSError as error:
            assert "space" in str(error) or str(disk) in str(error)
            assert [p.name for p in (disk / "m").iterdir()] == ["1"]
            count("disk full", "export refused")
        else:
            break
    assert not [f for f in check_export(disk / "m" / "1") if f.problems]


def test_token_cache_on_a_full_disk(
    model, tmp_path, small_disk, resize, count, monkeypatch
):
    """The tokens are made all the same."""
    monkeypatch.setattr(cache, "LEAST_EXAMPLES", 1)
    disk = small_disk(ROOM)
    examples = [PairExample("a cat", "b" * (i % 9), "no") for i in range(999)]
    preprocessor = PairPreprocessor(
        model.preprocessor.tokenizer, labels=["no"], sequence_length=8
    )
    expected = cache.cached_tokens(examples, preprocessor, tmp_path).token_ids
    needed = size_of(tmp_path / "tokens")
    for size in np.linspace(2 * PAGE, needed, 8).astype(int):
        resize(disk, int(size))
        found = cache.cached_tokens(examples, preprocessor, disk)
        assert np.array_equal(found.token_ids, expected)
        count("disk full", "token cache done without")
    resize(disk, ROOM)
    found = cache.cached_tokens(examples, preprocessor, disk)
    assert np.array_equal(found.token_ids, expected)


def config_of(folder):
    return default_config(
        "pos",
        output_dir=str(folder),
        data_source="sample",
        preset="tiny",
        fusion_layer=1,
        epochs=2,
        batch_size=8,
        learning_rate=1e-2,
        train_limit=16,
        eval_limit=3,
        languages=("de",),
        dev_every=1,
        checkpoint_minutes=0.0,
    )


def test_run_on_a_disk_that_is_full_again_and_again(
    tmp_path, small_disk, resize, count, eager
):
    """Goes on each time from what it had, to the same scores."""
    whole = run(config_of(tmp_path / "whole"), verbose=0)
    disk = small_disk(ROOM)
    failures = 0
    for size in np.linspace(PAGE * 8, 2_000_000, 12).astype(int):
        resize(disk, max(int(size), size_of(disk) + PAGE))
        try:
            found = run(config_of(disk / "run"), verbose=0, resume=True)
        except OSError as error:
            failures += 1
            assert "space" in str(error), error
            count("disk full", "run stopped, and went on later")
        else:
            break
    assert failures
    assert found["averages"] == whole["averages"]
    assert pathlib.Path(disk / "run" / "results.json").is_file()
