"""Files that vanish or change while read, two programs, clocks, memory."""

import contextlib
import gzip
import multiprocessing
import os
import pathlib
import shutil
import sys
import time

import numpy as np
import pytest

import dlfa_tf
from benchmarks import process_memory
from dlfa_tf import files
from dlfa_tf.data import readers
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.runs import load
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import settings
from dlfa_tf.runs.settings import default_config
from dlfa_tf.serving import export_saved_model
from dlfa_tf.training.bundle_file import read_bundle_file
from dlfa_tf.training.bundle_file import write_bundle_file
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.run import run

pytestmark = [
    pytest.mark.faults,
    pytest.mark.filterwarnings("ignore:Even though the:UserWarning"),
]

OURS = (ValueError, OSError)
# What is done right before a file is opened: [function, files to come].
_fault: list = []


def _on_open(event, arguments):
    if event != "open" or not _fault or not isinstance(arguments[0], str):
        return
    do, folder, left = _fault[0]
    path = pathlib.Path(arguments[0])
    if folder not in path.parents or not path.is_file():
        return
    if left == 0:
        _fault.clear()
        do(path)
    else:
        _fault[0] = (do, folder, left - 1)


sys.addaudithook(_on_open)


@contextlib.contextmanager
def before_opening(number, folder, do):
    """`do(path)` right before the file of this number is opened."""
    _fault[:] = [(do, folder, number)]
    try:
        yield
    finally:
        _fault.clear()


def cut(path):
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def tagger():
    return dlfa_tf.DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["A", "B"], sequence_length=8
    )


def make_preset(folder):
    tagger().save_to_preset(str(folder / "preset"))


def read_preset(folder):
    found = dlfa_tf.DLFATokenClassifier.from_preset(str(folder / "preset"))
    return [*found.get_weights(), *found.preprocessor.tokenizer.vocabulary]


def make_bundle(folder):
    write_bundle_file(folder / "b", {"a": 1}, {"x": np.arange(9999)})


def make_run(folder):
    config = default_config("pos", output_dir=str(folder / "run"))
    files.write_json(
        folder / "run" / "config.json", {"config": config.to_json()}
    )
    files.write_json(folder / "run" / "results.json", {"schema": 1})


def read_run(folder):
    name = str(folder / "run")
    config = settings.read_config(name).shareable()
    return [config, run_folder.read_results(name)]


def make_data(folder):
    with gzip.open(folder / "dev-de.tsv.gz", "wt", encoding="utf-8") as file:
        file.write("der\tDET\nFluss\tNOUN\n\n" * 500)


def read_data(folder):
    path = readers.find_file(folder, "dev", "de")
    return [str(x) for x in readers.read_tagged(path, TASKS["pos"].labels)]


@pytest.mark.parametrize(
    ("make", "read"),
    [
        pytest.param(make_preset, read_preset, id="preset"),
        pytest.param(
            make_bundle,
            lambda folder: read_bundle_file(folder / "b")[2]["x"].tolist(),
            id="bundle",
        ),
        pytest.param(make_run, read_run, id="run"),
        pytest.param(make_data, read_data, id="data"),
    ],
)
@pytest.mark.parametrize("do", [pathlib.Path.unlink, cut])
def test_file_that_changes_before_it_is_opened(make, read, do, tmp_path, count):
    (tmp_path / "first").mkdir()
    make(tmp_path / "first")
    before = read(tmp_path / "first")
    for number in range(60):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "first", folder)
        with before_opening(number, folder, do):
            try:
                found = read(folder)
            except OURS as error:
                assert str(folder) in str(error), error
                count("changed while read", "refused")
                continue
            finally:
                reached = not _fault
        same = [str(a) == str(b) for a, b in zip(found, before, strict=True)]
        assert all(same), f"file {number}"
        count("changed while read", "read as before")
        if not reached:
            break
    else:
        raise AssertionError("more files are opened than were tried")


def forked(work, folder, barrier, queue):
    barrier.wait()
    try:
        work(folder)
        queue.put("done")
    except BaseException as error:
        queue.put(f"{type(error).__name__}: {error}")
    os._exit(0)


def at_once(work, folder, number=3):
    """Does the same in several processes at the same moment."""
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(number), context.SimpleQueue()
    started = [
        context.Process(target=forked, args=(work, folder, barrier, queue))
        for _ in range(number)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    return [queue.get() for _ in started]


def save_checkpoint(folder):
    arrays = [np.arange(5000) + os.getpid()]
    for step in range(20):
        CheckpointStore(folder).save(step, arrays, {"pid": os.getpid()}, None)


def test_two_programs_write_the_same_json(tmp_path, count):
    def work(folder):
        for i in range(200):
            files.write_json(folder / "a.json", {"x": [os.getpid()] * 999})
            found = files.read_json(folder / "a.json")["x"]
            assert len(set(found)) == 1 and len(found) == 999, i

    assert at_once(work, tmp_path) == ["done"] * 3
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    count("several programs", "JSON: whole each time", 600)


def test_two_programs_write_the_same_bundle(tmp_path, count):
    said = at_once(make_bundle, tmp_path)
    assert "done" in said
    assert all(x == "done" or "FileExistsError" in x for x in said)
    read_bundle_file(tmp_path / "b")
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
    count("several programs", "bundle: one, whole", 3)


def test_two_programs_save_the_same_preset(tmp_path, count):
    """The last one wins; what is there is whole, or says that it is not."""
    model = tagger()
    model.get_weights()
    folder = tmp_path / "preset"
    for number in range(3):

        def work(folder):
            model.save_to_preset(str(folder))

        said = at_once(work, folder)
        assert "done" in said, said
        try:
            found = dlfa_tf.DLFATokenClassifier.from_preset(str(folder))
        except ValueError as error:
            assert "save it again" in str(error)
            count("several programs", "preset: refused as a whole")
        else:
            for a, b in zip(
                found.get_weights(), model.get_weights(), strict=True
            ):
                np.testing.assert_array_equal(a, b)
            count("several programs", "preset: whole")
        assert [p.name for p in tmp_path.iterdir()] == ["preset"], number


def run_config(folder, **changes):
    values = {
        "output_dir": str(folder),
        "data_source": "sample",
        "preset": "tiny",
        "fusion_layer": 1,
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 1e-2,
        "train_limit": 16,
        "eval_limit": 3,
        "languages": ("de",),
        "dev_every": 1,
        "checkpoint_minutes": 0.0,
        **changes,
    }
    return default_config("pos", **values)


def test_second_run_in_a_folder_is_refused(tmp_path, eager, count):
    from dlfa_tf.runs import resuming

    folder = tmp_path / "run"
    folder.mkdir()
    with resuming.held(folder):
        with pytest.raises(FileExistsError, match="Another process"):
            run(run_config(folder), verbose=0, resume=True)
    count("several programs", "second run refused")


def test_clock_that_goes_backwards(tmp_path, eager, monkeypatch, count):
    """A day back at every look: same scores, no negative times."""
    whole = run(run_config(tmp_path / "whole"), verbose=0)
    now = [time.time()]

    def back():
        now[0] -= 86400
        return now[0]

    monkeypatch.setattr(time, "time", back)
    found = run(run_config(tmp_path / "run"), verbose=0)
    assert found["averages"] == whole["averages"]
    assert all(x >= 0 for x in found["seconds"].values())
    for path in tmp_path.rglob("*"):
        os.utime(path, (now[0], now[0]), follow_symlinks=False)
    assert run(run_config(tmp_path / "run"), verbose=0, resume=True) == found
    load.load_model(str(tmp_path / "run"))
    count("clock backwards", "run and resumed")


def test_memory_that_runs_out(tmp_path, count):
    """Whatever the process dies of: no half of a file has a whole one's name.

    Less and less is left, until nothing can be written.
    """
    model = tagger()
    model.get_weights()

    def limited(folder):
        import resource

        taken = process_memory.address_space_bytes()
        limit = taken + int(folder.name)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        model.save_to_preset(str(folder / "preset"))
        export_saved_model(model, folder / "export", 1, max_batch_size=1)

    for megabytes in (1, 4, 16, 64, 256):
        folder = tmp_path / str(megabytes << 20)
        folder.mkdir()
        context = multiprocessing.get_context("fork")
        process = context.Process(target=_quietly, args=(limited, folder))
        process.start()
        process.join(120)
        if process.is_alive():
            # It hangs. At their end the tests would wait for it in turn.
            process.kill()
            process.join()
        preset = folder / "preset"
        if preset.exists():
            found = dlfa_tf.DLFATokenClassifier.from_preset(str(preset))
            for a, b in zip(
                found.get_weights(), model.get_weights(), strict=True
            ):
                np.testing.assert_array_equal(a, b)
        names = [p.name for p in folder.glob("export/*")]
        assert all(n == "1" or n.startswith(".1.") for n in names), names
        count("memory limit", f"ended with {process.exitcode}, nothing half")


def _quietly(work, folder):
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        work(folder)
    except BaseException:
        os._exit(1)
    os._exit(0)
