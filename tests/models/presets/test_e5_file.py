"""Tests of the reader of E5S1 files, on synthetic files."""

import struct

import numpy as np
import pytest

from dlfa_tf.models.presets.e5_file import E5File
from tests.models.presets.e5_writer import PIECES
from tests.models.presets.e5_writer import SCORES
from tests.models.presets.e5_writer import E5Writer


@pytest.fixture
def writer():
    return E5Writer(np.random.default_rng(0))


def slow_values(kind, data):
    """Numbers of a tensor, one by one, from the description of the format."""
    if kind == 0:
        return [
            struct.unpack_from("<f", data, i)[0] for i in range(0, len(data), 4)
        ]
    values = []
    for start in range(0, len(data), 18):
        (scale,) = struct.unpack_from("<e", data, start)
        block = data[start + 2 : start + 18]
        values += [(byte % 16 - 8) * scale for byte in block]
        values += [(byte // 16 - 8) * scale for byte in block]
    return values


def test_header_and_vocabulary_are_read(writer, tmp_path):
    file = E5File(writer.write(tmp_path / "a.bin"))
    assert vars(file.sizes) == writer.sizes
    assert file.layer_norm_epsilon == pytest.approx(1e-12)
    assert tuple(file.pieces) == PIECES
    np.testing.assert_allclose(file.scores, SCORES)


def test_every_tensor_equals_the_slow_reading(writer, tmp_path):
    file = E5File(writer.write(tmp_path / "a.bin"))
    for name, (kind, count, data) in writer.tensors.items():
        values = file.read(name, (count,))
        assert values.dtype == np.float32
        # A 4-bit number times an fp16 scale is exact in float32.
        np.testing.assert_array_equal(
            values, np.array(slow_values(kind, data), np.float32)
        )


@pytest.mark.parametrize("rows_per_chunk", [1, 7, 1000])
def test_rows_come_in_order_and_complete(writer, tmp_path, rows_per_chunk):
    file = E5File(writer.write(tmp_path / "a.bin"))
    chunks = list(file.read_rows("emb.word", (40, 32), rows_per_chunk))
    starts = [start for start, _ in chunks]
    assert starts == list(range(0, 40, rows_per_chunk))
    np.testing.assert_array_equal(
        np.concatenate([rows for _, rows in chunks]),
        file.read("emb.word", (40, 32)),
    )


def test_foreign_file_is_refused(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match="Not an E5S1 file.*GGUF"):
        E5File(path)


def test_other_version_is_refused(tmp_path):
    writer = E5Writer(np.random.default_rng(0), version=2)
    with pytest.raises(ValueError, match="version 2. Accepted.*version 1"):
        E5File(writer.write(tmp_path / "a.bin"))


@pytest.mark.parametrize("num_bytes", [2, 20, 60, 150, 400])
def test_cut_off_header_is_refused(writer, tmp_path, num_bytes):
    path = writer.write(tmp_path / "a.bin")
    path.write_bytes(path.read_bytes()[:num_bytes])
    with pytest.raises(ValueError, match="cut off or damaged"):
        E5File(path)


def test_cut_off_tensor_is_refused(writer, tmp_path):
    path = writer.write(tmp_path / "a.bin")
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="ends inside a tensor"):
        E5File(path).read("l1.oln.b", (32,))


def test_missing_tensor_and_wrong_size_are_named(writer, tmp_path):
    del writer.tensors["l1.q.w"]
    file = E5File(writer.write(tmp_path / "a.bin"))
    with pytest.raises(ValueError, match="missing.*'l1.q.w'"):
        file.read("l1.q.w", (32, 32))
    with pytest.raises(ValueError, match="'l0.q.w' with 1024 numbers"):
        file.read("l0.q.w", (32, 16))


def test_unknown_number_format_is_refused(writer, tmp_path):
    writer.tensors["emb.pos"] = (7, *writer.tensors["emb.pos"][1:])
    with pytest.raises(ValueError, match="'emb.pos'. Received: 7"):
        E5File(writer.write(tmp_path / "a.bin"))
