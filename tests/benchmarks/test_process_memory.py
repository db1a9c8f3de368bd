"""Tests of benchmarks.process_memory."""

import sys

import numpy as np
import pytest

from benchmarks import process_memory

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has /proc/self/statm"
)
_NUMBERS = 2**23
_BYTES = 8 * _NUMBERS


def test_what_is_written_to_is_resident():
    taken = process_memory.address_space_bytes()
    resident = process_memory.resident_bytes()
    untouched = np.empty(_NUMBERS)
    assert process_memory.address_space_bytes() >= taken + _BYTES
    assert process_memory.resident_bytes() < resident + _BYTES // 2
    untouched.fill(1.0)
    assert process_memory.resident_bytes() > resident + _BYTES // 2
