"""Writes small E5S1 files with random weights, for tests of the reader."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_SIZES = {
    "hidden_dim": 32,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_dim": 64,
    "vocabulary_size": 40,
    "max_sequence_length": 16,
    "num_segments": 2,
}
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "▁a", "b", "é", "<mask>")
SCORES = (0.0, 0.0, 0.0, 0.0, -3.0, -2.0, -2.5, -4.0, 0.0)


class E5Writer:
    """Holds the contents of an E5S1 file and writes them.

    Args:
        generator: NumPy random generator that draws the weights.
        pieces: Pieces of the vocabulary. Defaults to `PIECES`.
        scores: Their scores. Defaults to `SCORES`.
        version: int, version to write. Defaults to 1.
    """

    def __init__(
        self,
        generator: np.random.Generator,
        pieces: Sequence[str] = PIECES,
        scores: Sequence[float] = SCORES,
        version: int = 1,
    ) -> None:
        self.sizes = dict(_SIZES)
        self.pieces = tuple(pieces)
        self.scores = tuple(scores)
        self.version = version
        # Name -> (kind, number of values, bytes).
        self.tensors: dict[str, tuple[int, int, bytes]] = {}
        self._generator = generator
        self._draw_all()

    def write(self, path: Path) -> Path:
        """Writes the file and returns its path."""
        head = self._head()
        directory_bytes = sum(23 + len(name) for name in self.tensors)
        position = len(head) + 4 + directory_bytes
        directory = struct.pack("<i", len(self.tensors))
        body = b""
        for name, (kind, count, data) in self.tensors.items():
            directory += struct.pack("<H", len(name)) + name.encode()
            directory += struct.pack("<BIQQ", kind, count, position, len(data))
            position += len(data)
            body += data
        path.write_bytes(head + directory + body)
        return path

    def _head(self) -> bytes:
        texts = [piece.encode() for piece in self.pieces]
        offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
        blob = b"".join(texts)
        table = struct.pack("<IBI", 0x3000, 1, 0x20)
        return b"".join(
            [
                b"E5S1",
                struct.pack("<I", self.version),
                struct.pack("<7i", *self.sizes.values()),
                struct.pack("<fi", 1e-12, 32),
                struct.pack("<5iQ", len(texts), 0, 2, 1, 3, len(blob)),
                offsets.tobytes(),
                np.array(self.scores, "<f4").tobytes(),
                blob,
                struct.pack("<iI", 1, len(table)),
                table,
            ]
        )

    def _draw_all(self) -> None:
        sizes = self.sizes
        width, inner = sizes["hidden_dim"], sizes["intermediate_dim"]
        self._draw_blocks("emb.word", sizes["vocabulary_size"] * width)
        self._draw_floats("emb.pos", sizes["max_sequence_length"] * width)
        self._draw_floats("emb.type", sizes["num_segments"] * width)
        self._draw_norm("emb.ln", width)
        for block in range(sizes["num_layers"]):
            for name in ("q", "k", "v", "ao"):
                self._draw_blocks(f"l{block}.{name}.w", width * width)
                self._draw_floats(f"l{block}.{name}.b", width)
            self._draw_norm(f"l{block}.aln", width)
            self._draw_blocks(f"l{block}.fi.w", inner * width)
            self._draw_floats(f"l{block}.fi.b", inner)
            self._draw_blocks(f"l{block}.fo.w", width * inner)
            self._draw_floats(f"l{block}.fo.b", width)
            self._draw_norm(f"l{block}.oln", width)

    def _draw_norm(self, name: str, count: int) -> None:
        self._draw_floats(f"{name}.w", count, mean=1.0)
        self._draw_floats(f"{name}.b", count)

    def _draw_floats(self, name: str, count: int, mean: float = 0.0) -> None:
        values = self._generator.normal(mean, 0.1, count).astype("<f4")
        self.tensors[name] = (0, count, values.tobytes())

    def _draw_blocks(self, name: str, count: int) -> None:
        data = b""
        for _ in range(count // 32):
            scale = self._generator.uniform(-0.05, 0.05)
            data += struct.pack("<e", scale) + self._generator.bytes(16)
        self.tensors[name] = (1, count, data)
