"""Numbers in blocks of 4 bits, as llama.cpp's Q4_0 has them.

A block holds a scale and 32 numbers, the first 16 in the low halves of the
bytes, the other 16 in the high halves, each stored plus 8.
"""

import numpy as np

BLOCK_SIZE = 32
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK_SIZE // 2,))])


def dequantize(blocks: np.ndarray) -> np.ndarray:
    """Turns 4-bit blocks into numbers: scale times (nibble minus 8).

    From `BLOCK` `(blocks,)` to float32 `(blocks * 32,)`.
    """
    nibbles = blocks["nibbles"]
    numbers = np.empty((len(blocks), 2, BLOCK_SIZE // 2), np.float32)
    numbers[:, 0] = nibbles & 0x0F
    numbers[:, 1] = nibbles >> 4
    numbers -= 8.0
    numbers *= blocks["scale"].astype(np.float32)[:, None, None]
    return numbers.reshape(-1)


def quantize(values: np.ndarray) -> np.ndarray:
    """Turns numbers into 4-bit blocks; the last block is filled with zeros.

    The number that is largest in size gets the nibble 0, so its eighth, with
    the sign turned, is the scale. Numbers that came out of blocks made in this
    way, as those of `e5_small_multi` did, give the very same blocks. An array
    of any shape is read row by row.
    """
    flat = np.asarray(values, np.float32).reshape(-1)
    flat = np.pad(flat, (0, -flat.size % BLOCK_SIZE))
    rows = flat.reshape(-1, BLOCK_SIZE)
    largest = np.take_along_axis(
        rows, np.abs(rows).argmax(1, keepdims=True), axis=1
    )
    blocks = np.zeros(len(rows), BLOCK)
    blocks["scale"] = (largest[:, 0] / -8.0).astype(np.float16)
    scale = blocks["scale"].astype(np.float32)[:, None]
    safe = np.where(scale == 0, 1, scale)
    numbers = np.clip(np.rint(rows / safe) + 8, 0, 15).astype(np.uint8)
    numbers[scale[:, 0] == 0] = 8
    half = BLOCK_SIZE // 2
    blocks["nibbles"] = numbers[:, :half] | numbers[:, half:] << 4
    return blocks
