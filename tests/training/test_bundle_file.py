"""Tests of dlfa_tf.training.bundle_file."""

import json

import numpy as np
import pytest

from dlfa_tf.models.presets.q4_blocks import quantize
from dlfa_tf.training import bundle_file
from dlfa_tf.training.bundle_file import read_bundle_file
from dlfa_tf.training.bundle_file import read_bundle_meta
from dlfa_tf.training.bundle_file import write_bundle_file

META = {"name": "é", "numbers": [1, 2.5, None]}


@pytest.fixture
def arrays():
    values = np.arange(64, dtype=np.float32)
    return {"a/b": values, "blocks": quantize(values), "none": values[:0]}


@pytest.fixture
def file(tmp_path, arrays):
    path = tmp_path / "x.bundle"
    write_bundle_file(path, META, arrays)
    return path


def test_round_trip(file, arrays, tmp_path):
    sha256, meta, found = read_bundle_file(file)
    assert meta == META
    assert read_bundle_meta(file) == (sha256, META)
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert [path.name for path in tmp_path.iterdir()] == ["x.bundle"]


def test_hash_is_of_the_content(file, arrays, tmp_path):
    sha256, _ = read_bundle_meta(file)
    assert write_bundle_file(tmp_path / "y", META, arrays) == sha256
    changed = {**arrays, "a/b": arrays["a/b"] + 1}
    assert write_bundle_file(tmp_path / "z", META, changed) != sha256
    assert write_bundle_file(tmp_path / "m", {}, arrays) != sha256


def test_existing_file_is_never_overwritten(file):
    before = file.read_bytes()
    with pytest.raises(FileExistsError, match="never overwritten"):
        write_bundle_file(file, {}, {})
    assert file.read_bytes() == before


def test_existing_file_in_the_home_folder_is_found(file, monkeypatch):
    monkeypatch.setenv("HOME", str(file.parent))
    with pytest.raises(FileExistsError, match="never overwritten"):
        bundle_file.check_new(f"~/{file.name}")


def test_bundle_below_a_file_is_refused(file):
    with pytest.raises(NotADirectoryError, match="`bundle` lies below"):
        bundle_file.check_new(file / "new.bundle")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_file_that_was_cut_off_is_refused(file, share):
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match="no bundle that can be read"):
        read_bundle_file(file)


def rewrite(path, **changes):
    with np.load(path) as file:
        named = {name: file[name] for name in file}
    with path.open("wb") as stream:
        np.savez(stream, **{**named, **changes})


def test_altered_array_is_found(file):
    rewrite(file, none=np.ones(3))
    with pytest.raises(ValueError, match="is damaged"):
        read_bundle_file(file)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"schema": 99}, "schema 99"),
        ({}, "schema"),
    ],
)
def test_other_schema_is_refused(file, head, message):
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)
    rewrite(file, meta=text)
    for read in (read_bundle_file, read_bundle_meta):
        with pytest.raises(ValueError, match=message):
            read(file)


def test_pickles_are_not_read(file):
    rewrite(file, none=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_bundle_file(file)


def test_other_files_are_refused(tmp_path):
    for read in (read_bundle_file, read_bundle_meta):
        with pytest.raises(FileNotFoundError, match="trainers.prepare"):
            read(tmp_path / "none")
        (tmp_path / "text").write_text("no zip")
        with pytest.raises(ValueError, match="no bundle that can be read"):
            read(tmp_path / "text")
    np.savez(tmp_path / "z.npz", x=np.zeros(2))
    with pytest.raises(ValueError, match="no bundle that can be read"):
        read_bundle_meta(tmp_path / "z.npz")
