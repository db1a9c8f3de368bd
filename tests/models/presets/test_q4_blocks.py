"""Tests of dlfa_tf.models.presets.q4_blocks."""

import numpy as np
import pytest

from dlfa_tf.models.presets.q4_blocks import BLOCK
from dlfa_tf.models.presets.q4_blocks import dequantize
from dlfa_tf.models.presets.q4_blocks import quantize


def test_dequantize_known_block():
    block = np.zeros(1, BLOCK)
    block["scale"] = 0.5
    block["nibbles"] = 0x80 | np.arange(16) % 16
    values = dequantize(block)
    np.testing.assert_array_equal(values[:16], (np.arange(16) - 8) * 0.5)
    np.testing.assert_array_equal(values[16:], 0.0)


def test_quantize_known_block():
    values = np.zeros(32, np.float32)
    values[[0, 1, 31]] = [-4.0, 3.5, 1.2]
    (block,) = quantize(values)
    assert block["scale"] == 0.5
    assert block["nibbles"][0] == 0x80  # 8 in the high half: a zero
    assert block["nibbles"][1] == 0x8F
    assert block["nibbles"][15] == 0xA8  # 1.2 becomes 1.0, that is 2 + 8
    np.testing.assert_array_equal(
        dequantize(quantize(values))[[0, 1, 31]], [-4.0, 3.5, 1.0]
    )


def test_numbers_out_of_blocks_give_the_very_same_blocks(seed):
    random = np.random.default_rng(seed)
    blocks = np.zeros(200, BLOCK)
    blocks["scale"] = random.normal(size=200).astype(np.float16)
    blocks["nibbles"] = random.integers(0, 256, (200, 16))
    # As the maker of such blocks has it: the largest number is a nibble of 0.
    blocks["nibbles"][:, 3] &= 0xF0
    again = quantize(dequantize(blocks))
    assert again.tobytes() == blocks.tobytes()


@pytest.mark.parametrize("size", [1, 31, 32, 33])
def test_last_block_is_filled_up(size):
    values = np.linspace(-1, 1, size)
    blocks = quantize(values)
    assert len(blocks) == -(-size // 32)
    # Half a step of the scale, and its rounding to half precision.
    error = np.abs(dequantize(blocks)[:size] - values)
    assert error.max() <= 1 / 8 + 1e-3


def test_zeros_stay_zeros():
    blocks = quantize(np.zeros((2, 32)))
    assert not dequantize(blocks).any()
