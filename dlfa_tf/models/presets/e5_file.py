"""Reader of E5S1 files: a 4-bit BERT encoder and its vocabulary in one file.

Layout, little endian: the letters `E5S1` and a version; seven int32 sizes,
the layer norm epsilon and the block size; the SentencePiece pieces with their
scores; a table of character replacements, which this reader skips; a
directory of named tensors, which fill the rest of the file.
"""

import dataclasses
import os
import struct
from collections.abc import Iterator

import numpy as np

from dlfa_tf.models.presets import q4_blocks
from dlfa_tf.models.presets.q4_blocks import BLOCK
from dlfa_tf.models.presets.q4_blocks import BLOCK_SIZE

FLOAT32 = 0
Q4_0 = 1

_MAGIC = b"E5S1"
_VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class E5Sizes:
    """Sizes of the encoder in an E5S1 file, in the order of the header."""

    hidden_dim: int
    num_layers: int
    num_heads: int
    intermediate_dim: int
    vocabulary_size: int
    max_sequence_length: int
    num_segments: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Entry:
    kind: int
    count: int
    offset: int


class E5File:
    """Gives the vocabulary and the tensors of an E5S1 file as NumPy arrays.

    The file is memory-mapped; only what is asked for is read. One of another
    kind or version, or cut off, raises ValueError.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._data = np.memmap(self.path, dtype=np.uint8, mode="r")
        try:
            self._parse()
        except (struct.error, UnicodeDecodeError) as error:
            raise ValueError(
                f"The E5S1 file is cut off or damaged ({error}). Received: "
                f"{self.path} with {self._data.size} bytes. Accepted: the "
                "whole file."
            ) from error

    def read(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Returns one tensor, such as `"l0.q.w"`, as float32 of the shape."""
        entry = self._entry(name, int(np.prod(shape)))
        return self._slice(entry, 0, entry.count).reshape(shape)

    def read_rows(
        self, name: str, shape: tuple[int, int], rows_per_chunk: int = 16384
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yields a large matrix piece by piece, to save memory.

        A piece is the index of its first row and a float32 array of rows.
        """
        rows, columns = shape
        entry = self._entry(name, rows * columns)
        for start in range(0, rows, rows_per_chunk):
            stop = min(rows, start + rows_per_chunk)
            values = self._slice(entry, start * columns, stop * columns)
            yield start, values.reshape(-1, columns)

    def _entry(self, name: str, count: int) -> _Entry:
        entry = self._directory.get(name)
        if entry is None:
            raise ValueError(
                f"A tensor is missing in {self.path}. Received: {name!r}. "
                f"Accepted: {', '.join(self._directory)}."
            )
        if entry.count != count:
            raise ValueError(
                f"A tensor of {self.path} has another size. Received: "
                f"{name!r} with {entry.count} numbers. Accepted: {count}."
            )
        return entry

    def _slice(self, entry: _Entry, start: int, stop: int) -> np.ndarray:
        if entry.kind == FLOAT32:
            return self._bytes(entry, 4 * start, 4 * stop).view("<f4").copy()
        if start % BLOCK_SIZE or stop % BLOCK_SIZE:
            raise ValueError(
                "4-bit tensors are read in whole blocks. Received: the range "
                f"{start} to {stop}. Accepted: multiples of {BLOCK_SIZE}."
            )
        size = BLOCK.itemsize
        raw = self._bytes(
            entry, start // BLOCK_SIZE * size, stop // BLOCK_SIZE * size
        )
        return q4_blocks.dequantize(raw.view(BLOCK))

    def _bytes(self, entry: _Entry, start: int, stop: int) -> np.ndarray:
        raw = self._data[entry.offset + start : entry.offset + stop]
        if raw.size != stop - start:
            raise ValueError(
                "The E5S1 file ends inside a tensor. Received: "
                f"{self.path} with {self._data.size} bytes. Accepted: at "
                f"least {entry.offset + stop} bytes."
            )
        return raw.view(np.ndarray)

    def _parse(self) -> None:
        reader = _Cursor(self._data)
        magic, version = reader.unpack("4sI")
        if magic != _MAGIC or version != _VERSION:
            raise ValueError(
                f"Not an E5S1 file. Received: {self.path}, which starts with "
                f"{magic!r}, version {version}. Accepted: {_MAGIC!r}, "
                f"version {_VERSION}."
            )
        self.sizes = E5Sizes(
            **dict(
                zip(
                    (field.name for field in dataclasses.fields(E5Sizes)),
                    reader.unpack("7i"),
                    strict=True,
                )
            )
        )
        self.layer_norm_epsilon, block_size = reader.unpack("fi")
        if block_size != BLOCK_SIZE:
            raise ValueError(
                f"Unknown block size in {self.path}. Received: {block_size}. "
                f"Accepted: {BLOCK_SIZE}."
            )
        self.pieces, self.scores = _read_vocabulary(reader)
        _, table_bytes = reader.unpack("iI")
        reader.take(table_bytes)
        self._directory = _read_directory(reader)


class _Cursor:
    """Reads numbers and bytes one after the other."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data
        self._position = 0

    def unpack(self, layout: str) -> tuple:
        layout = "<" + layout
        values = struct.unpack_from(layout, self._data.data, self._position)
        self._position += struct.calcsize(layout)
        return values

    def take(self, count: int) -> np.ndarray:
        taken = self._data[self._position : self._position + count]
        if taken.size != count:
            raise struct.error(f"{count} more bytes expected")
        self._position += count
        return taken.view(np.ndarray)


def _read_vocabulary(reader: _Cursor) -> tuple[list[str], np.ndarray]:
    num_pieces, _, _, _, _, text_bytes = reader.unpack("5iQ")
    offsets = reader.take(4 * (num_pieces + 1)).view("<u4").tolist()
    scores = reader.take(4 * num_pieces).view("<f4").copy()
    text = reader.take(text_bytes).tobytes()
    pieces = [
        text[offsets[i] : offsets[i + 1]].decode("utf-8")
        for i in range(num_pieces)
    ]
    return pieces, scores


def _read_directory(reader: _Cursor) -> dict[str, _Entry]:
    (num_tensors,) = reader.unpack("i")
    directory = {}
    for _ in range(num_tensors):
        (name_bytes,) = reader.unpack("H")
        name = reader.take(name_bytes).tobytes().decode("utf-8")
        kind, count, offset, _ = reader.unpack("BIQQ")
        if kind not in (FLOAT32, Q4_0):
            raise ValueError(
                f"Unknown number format of the tensor {name!r}. Received: "
                f"{kind}. Accepted: {FLOAT32} (float32), {Q4_0} (4 bits)."
            )
        directory[name] = _Entry(kind=kind, count=count, offset=offset)
    return directory
