"""Files of weights that were cut off or altered are refused."""

import h5py
import numpy as np
import pytest

from dlfa_tf.models import weight_sums


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.weights.h5"
    with weight_sums.written(path) as temporary:
        assert temporary.name.endswith(".weights.h5")
        with h5py.File(temporary, "w") as file:
            file["a/b"] = np.arange(500, dtype="float32")
            file["names"] = ["one", "two"]
            file["empty"] = np.zeros((0, 3))
    return path


def test_whole_file_is_accepted(path):
    weight_sums.check(path)
    with h5py.File(path, "r+") as file:
        file["a/b"][3] = 3.5
        del file.attrs["dlfa_crc32"]
    weight_sums.check(path)  # as Keras alone writes it


def test_altered_file_is_refused(path):
    with h5py.File(path, "r+") as file:
        file["a/b"][3] = 3.5
    with pytest.raises(ValueError, match=r"m.weights.h5' is damaged"):
        weight_sums.check(path)


def test_file_that_was_cut_off_is_refused(path):
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match=r"m.weights.h5' cannot be read"):
        weight_sums.check(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="x.weights.h5"):
        weight_sums.check(tmp_path / "x.weights.h5")


def test_error_leaves_what_was_there(path):
    with pytest.raises(OSError, match="No space"):
        with weight_sums.written(path) as temporary:
            temporary.write_bytes(b"half")
            raise OSError(28, "No space left on device")
    weight_sums.check(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_error_of_the_disk_is_the_system_s(path):
    """As HDF5 words it; other errors stay what they are."""
    text = "(file write failed: errno = 28, error message = 'No space left')"
    with pytest.raises(OSError, match="No space left") as error:
        with weight_sums.written(path):
            raise RuntimeError(text)
    assert error.value.errno == 28
    with pytest.raises(RuntimeError, match="another"):
        with weight_sums.written(path):
            raise RuntimeError("another")


@pytest.mark.parametrize("name", ["no.weights.h5", "folder", "a.bundle"])
def test_what_is_no_file_of_weights_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.bundle").write_bytes(b"PK")
    with pytest.raises((FileNotFoundError, ValueError), match="Accepted: "):
        weight_sums.check(tmp_path / name)
