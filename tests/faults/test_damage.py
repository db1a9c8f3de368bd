"""Files with a bit flipped, or cut off: refused, or read as they were.

DLFA_TF_FAULT_STRIDE is the number of bytes between two flips, 1000.
"""

import os
import pathlib
import shutil

import keras
import numpy as np
import pytest

import dlfa_tf
from dlfa_tf.data import cache
from dlfa_tf.data.readers import PairExample
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.runs import load
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import settings
from dlfa_tf.serving import Client
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.contract import EXTRA
from dlfa_tf.serving.export import metadata_file
from dlfa_tf.serving.export import warmup
from dlfa_tf.training.bundle_file import read_bundle_file
from dlfa_tf.training.bundle_file import read_bundle_meta
from dlfa_tf.training.bundle_file import write_bundle_file
from dlfa_tf.training.checkpoints import CheckpointStore

pytestmark = pytest.mark.faults

STRIDE = int(os.environ.get("DLFA_TF_FAULT_STRIDE", "1000"))
CUTS = 8
# Errors of ours: they name the file and say what to do.
OURS = (ValueError, OSError)


def damaged(path, stride=None):
    """Changes a file in every way, one after another; restores it."""
    raw = path.read_bytes()
    for place in range(0, len(raw), stride or STRIDE):
        content = bytearray(raw)
        content[place] ^= 1 << (place // 7 % 8)
        path.write_bytes(content)
        yield f"{path.name}: bit flipped in byte {place}"
    for number in range(CUTS):
        path.write_bytes(raw[: len(raw) * number // CUTS])
        yield f"{path.name}: cut to {number}/{CUTS}"
    path.unlink()
    yield f"{path.name}: deleted"
    path.write_bytes(raw)


def check(kind, paths, read, count, errors=OURS, stride=None, named=True):
    """`read` gives what it gave before, or refuses and names the place."""
    before = read()
    for path in paths:
        for what in damaged(path, stride):
            try:
                found = read()
            except errors as error:
                count(kind, "refused")
                if named:
                    assert path.parent.name in str(error), (what, error)
                continue
            assert equal(found, before), f"unseen: {what}"
            count(kind, "read as before")
    assert equal(read(), before)


def equal(one, other):
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            equal(one[key], other[key]) for key in one
        )
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return one == other


def files_in(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def new_tagger(**more):
    return dlfa_tf.DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["A", "B"], sequence_length=8, **more
    )


@pytest.fixture(scope="module")
def tagger():
    return new_tagger()


def test_presets(tagger, tmp_path, count):
    folder = tmp_path / "a preset"
    tagger.save_to_preset(str(folder))

    def read():
        model = dlfa_tf.DLFATokenClassifier.from_preset(str(folder))
        vocabulary = model.preprocessor.tokenizer.vocabulary
        return [model.get_weights(), list(vocabulary), model.labels]

    check("preset", files_in(folder), read, count)


def test_backbone_presets(tagger, tmp_path, count):
    folder = tmp_path / "a backbone"
    tagger.backbone.save_to_preset(str(folder))
    check(
        "preset of a backbone",
        files_in(folder),
        lambda: dlfa_tf.DLFABackbone.from_preset(str(folder)).get_weights(),
        count,
    )


def test_weights(tagger, tmp_path, count):
    path = tmp_path / "some" / "m.weights.h5"
    path.parent.mkdir()
    tagger.save_weights(path)
    other = new_tagger()

    def read():
        other.load_weights(path)
        return other.get_weights()

    check("weights", [path], read, count, stride=4 * STRIDE)


def test_factors(tmp_path, count):
    model = new_tagger()
    model.backbone.enable_lora(2)
    folder = tmp_path / "factors"
    folder.mkdir()
    paths = [folder / "a.lora.h5", folder / "head.weights.h5"]
    model.backbone.save_lora_weights(paths[0])
    model.save_task_weights(str(paths[1]))
    other = new_tagger()

    def read():
        other.backbone.load_lora_weights(paths[0])
        other.load_task_weights(str(paths[1]))
        return other.get_weights()

    check("LoRA", paths, read, count)


def test_keras_files(tagger, tmp_path, count):
    """Read by Keras alone, whose errors are of many kinds."""
    path = tmp_path / "m.keras"
    tagger.save(path)

    def read():
        model = keras.models.load_model(path)
        vocabulary = model.preprocessor.tokenizer.vocabulary
        return [model.get_weights(), list(vocabulary), model.labels]

    check(
        ".keras", [path], read, count, errors=Exception, stride=4 * STRIDE,
        named=False,
    )  # fmt: skip


def test_checkpoints(tmp_path, count):
    """The newest one that is whole is taken."""
    arrays = [np.arange(5000, dtype="float32"), np.ones((3, 4))]
    store = CheckpointStore(tmp_path / "checkpoints")
    for step in (2, 4):
        best = (step, [arrays[0] * step])
        store.save(step, [x + step for x in arrays], {"at": step}, best)
    newest = store.load()
    (tmp_path / "newest").mkdir()
    for name in ("step-00000004.npz", "best-00000004.npz"):
        os.rename(tmp_path / "checkpoints" / name, tmp_path / "newest" / name)
    before = store.load()
    for path in files_in(tmp_path / "newest"):
        shutil.copy(path, tmp_path / "checkpoints")
    for path in files_in(tmp_path / "newest"):
        target = tmp_path / "checkpoints" / path.name
        for what in damaged(target):
            said = []
            found = store.load(said.append, set_aside=False)
            if equal(found, newest):
                count("checkpoint", "read as before")
            else:
                assert equal(found, before), what
                deleted = "deleted" in what and "step" in path.name
                assert said or deleted, what
                count("checkpoint", "refused, the one before taken")
    assert equal(store.load(), newest)


def test_bundles(tmp_path, count):
    path = tmp_path / "bundles" / "x.bundle"
    generator = np.random.default_rng(0)
    arrays = {"a": generator.normal(size=9000), "b/c": np.arange(5)}
    write_bundle_file(path, {"settings": {"task": "pos"}}, arrays)
    check("bundle", [path], lambda: read_bundle_file(path), count)
    # Not all of its file is read.
    check(
        "head of a bundle",
        [path],
        lambda: bool(read_bundle_meta(path)),
        count,
    )


def test_weights_of_runs_on_bundles(tagger, tmp_path, count):
    folder = tmp_path / "a run"
    folder.mkdir()
    load.save_bundle_weights(tagger, np.arange(7), folder)
    check(
        "weights.npz",
        [folder / load.WEIGHTS],
        lambda: load.read_bundle_weights(folder),
        count,
    )


def test_token_caches(tagger, tmp_path, count, monkeypatch):
    """Made anew."""
    monkeypatch.setattr(cache, "LEAST_EXAMPLES", 1)
    examples = [PairExample("a cat", "b" * (i % 9), "no") for i in range(300)]
    preprocessor = PairPreprocessor(
        tagger.preprocessor.tokenizer, labels=["no"], sequence_length=8
    )

    def read():
        found = cache.cached_tokens(examples, preprocessor, tmp_path)
        return [np.asarray(x) for x in (found.token_ids, found.labels)]

    before = read()
    (folder,) = (tmp_path / "tokens").glob("*/")
    for path in files_in(folder):
        for what in damaged(path, stride=10 * STRIDE):
            assert equal(read(), before), what
            count("token cache", "made anew, or not needed")


@pytest.fixture(scope="module")
def exported(tmp_path_factory, tagger):
    base = tmp_path_factory.mktemp("exports") / "tagger"
    return export_saved_model(tagger, base, 1, max_batch_size=1)


def test_exports(exported, count):
    """Files without a sum of their own; `check_export` looks further."""

    def read():
        with Client.of_export(exported) as client:
            return client.tag(["a b"])

    paths = [p for p in files_in(exported) if EXTRA not in p.parts]
    check("export", paths, read, count, named=False)


def test_what_exports_say_of_themselves(exported, count):
    """These may be edited: what is cut off is refused by name."""

    def asked():
        requests = warmup.read_warmup(exported)
        if not requests:  # `check_export` says which requests are missing
            raise ValueError(f"no requests in {EXTRA}")
        return True

    for name, read in (
        ("dlfa_tf.json", lambda: bool(metadata_file.read_metadata(exported))),
        ("tf_serving_warmup_requests", asked),
    ):
        path = exported / EXTRA / name
        check("extras of an export", [path], read, count, stride=37)


def test_json_of_run_folders(tmp_path, count):
    """Cut off anywhere."""
    folder = tmp_path / "a run"
    folder.mkdir()
    config = settings.default_config("pos", output_dir=str(folder))
    for name, content, read in (
        (
            "config.json",
            {"config": config.to_json(), "environment": {}},
            lambda: settings.read_config(str(folder)),
        ),
        (
            "results.json",
            {"schema": 1, "averages": {}},
            lambda: run_folder.read_results(folder),
        ),
    ):
        dlfa_tf.files.write_json(folder / name, content)
        raw = (folder / name).read_bytes()
        before = read()
        for end in range(len(raw)):
            (folder / name).write_bytes(raw[:end])
            try:
                assert read() == before  # without its line end
                count("JSON of a run", "read as before")
            except ValueError as error:
                assert name in str(error), error
                count("JSON of a run", "refused")


def test_manifest_itself(tagger, tmp_path):
    """Without it, a folder is taken as it is."""
    folder = tmp_path / "preset"
    tagger.save_to_preset(str(folder))
    (folder / "README.md").write_text("of the user's own")
    config = folder / "task.json"
    config.write_text(config.read_text().replace("}", "} "))
    with pytest.raises(ValueError, match=r"task.json has .* delete '.*json'"):
        dlfa_tf.DLFATokenClassifier.from_preset(str(folder))
    (folder / "dlfa_manifest.json").unlink()
    dlfa_tf.DLFATokenClassifier.from_preset(str(folder))
    tagger.save_to_preset(str(folder))
    assert (folder / "README.md").is_file()
    dlfa_tf.DLFATokenClassifier.from_preset(pathlib.Path(folder).as_posix())
