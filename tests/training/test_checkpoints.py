"""Tests of checkpoints: whole, kept, and never lost to a failed save."""

import errno

import numpy as np
import pytest

from dlfa_tf.training.checkpoints import CheckpointStore


def arrays(value):
    return [np.full((3, 2), value, np.float32), np.array([value, 0], np.uint32)]


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints", keep=2)


def names(store):
    return sorted(path.name for path in store.folder.iterdir())


def test_what_is_saved_is_loaded_bit_for_bit(store):
    odd = [np.float32([np.nan, -0.0, 1e-45]), np.array(3, np.int64)]
    meta = {"loss": 0.1 + 0.2, "history": [{"step": 1}]}
    store.save(7, odd, meta, (5, arrays(5)))
    loaded, values, best = store.load()
    for a, b in zip(odd, loaded, strict=True):
        assert a.tobytes() == b.tobytes()
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
    assert values["loss"] == meta["loss"]
    assert values["history"] == meta["history"]
    assert (values["step"], values["best"]) == (7, 5)
    np.testing.assert_array_equal(best[0], arrays(5)[0])


def test_nothing_saved_loads_nothing(store):
    assert store.load() is None


def test_the_newest_and_the_best_they_refer_to_are_kept(store):
    for step, best in ((1, 1), (2, 1), (3, 3), (4, 3)):
        store.save(step, arrays(step), {}, (best, arrays(best)))
    assert names(store) == [
        "best-00000003.npz", "step-00000003.npz", "step-00000004.npz"
    ]  # fmt: skip
    store.save(5, arrays(5), {}, (5, arrays(5)))
    assert "best-00000003.npz" in names(store)
    assert store.load()[1]["best"] == 5


@pytest.mark.parametrize("damage", ["cut", "altered", "empty"])
@pytest.mark.parametrize("kind", ["step", "best"])
def test_broken_file_falls_back_to_the_one_before(store, damage, kind):
    store.save(1, arrays(1), {}, (1, arrays(1)))
    store.save(2, arrays(2), {}, (2, arrays(2)))
    path = store.folder / f"{kind}-00000002.npz"
    content = bytearray(path.read_bytes())
    middle = content.find(arrays(2)[0].tobytes())
    if damage == "altered":
        content[middle] ^= 1
    else:
        del content[(middle if damage == "cut" else 0) :]
    path.write_bytes(content)
    said = []
    loaded, meta, best = store.load(said.append)
    assert meta["step"] == 1
    np.testing.assert_array_equal(loaded[0], arrays(1)[0])
    np.testing.assert_array_equal(best[0], arrays(1)[0])
    assert "checkpoint of step 2 cannot be read" in said[0]
    assert "step-00000002.npz is now step-00000002.npz.broken" in said[1]
    # The file of that name is not taken for the weights to be saved.
    store.save(2, arrays(3), {}, (2, arrays(3)))
    loaded, meta, best = CheckpointStore(store.folder).load(pytest.fail)
    assert meta["step"] == 2
    np.testing.assert_array_equal(best[0], arrays(3)[0])


def break_all(store, *steps):
    for step in steps:
        (store.folder / f"step-{step:08d}.npz").write_bytes(b"broken")


@pytest.mark.parametrize("set_aside", [True, False])
def test_checkpoint_after_a_fall_back_is_kept(store, set_aside):
    for step in (1, 8, 9):
        CheckpointStore(store.folder, keep=3).save(step, arrays(step), {}, None)
    break_all(store, 8, 9)
    assert store.load(set_aside=set_aside)[1]["step"] == 1
    broken = [name for name in names(store) if name.endswith(".broken")]
    assert len(broken) == (2 if set_aside else 0)
    for step in (2, 3, 4):
        store.save(step, arrays(step), {}, (step, arrays(step)))
        assert store.load(set_aside=set_aside)[1]["step"] == step
    assert "step-00000003.npz" in names(store)
    assert "step-00000002.npz" not in names(store)
    store.delete()
    assert not store.folder.exists()


def test_nothing_whole_loads_nothing_and_the_start_is_saved(store):
    store.save(8, arrays(8), {}, None)
    store.save(9, arrays(9), {}, None)
    break_all(store, 8, 9)
    assert store.load() is None
    store.save(1, arrays(1), {}, None)
    assert store.load()[1]["step"] == 1


def test_full_disk_leaves_the_old_one_valid(store, monkeypatch):
    store.save(1, arrays(1), {}, None)

    def full(file, **_):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match=r"step 2.*No space left.*\[1\].*resume"):
        store.save(2, arrays(2), {}, None)
    assert names(store) == ["step-00000001.npz"]
    assert store.load()[1]["step"] == 1


def test_half_written_files_of_a_killed_process_are_removed(store):
    store.save(1, arrays(1), {}, None)
    (store.folder / ".step-00000002.npz.123.tmp").write_bytes(b"half")
    store.save(2, arrays(2), {}, None)
    assert names(store) == ["step-00000001.npz", "step-00000002.npz"]


def test_delete_leaves_what_is_not_its_own(store):
    store.save(1, arrays(1), {}, (1, arrays(1)))
    note = store.folder / "notes.txt"
    note.touch()
    store.delete()
    assert names(store) == ["notes.txt"]
    note.unlink()
    store.delete()
    assert not store.folder.exists()
