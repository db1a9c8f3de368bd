"""Parsers are fed with noise, and with what is nearly right.

DLFA_TF_FUZZ_EXAMPLES is the number of inputs for each parser, 25; `make
test-fuzz` takes many. No error but our own comes out, and no input takes more
than a second for a megabyte.
"""

import os
import time

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from dlfa_tf.serving import ServingError
from tests.fuzz.parsers import PARSERS
from tests.fuzz.parsers import SEEDS

EXAMPLES = int(os.environ.get("DLFA_TF_FUZZ_EXAMPLES", "25"))
# Seconds of processor for a megabyte, and for anything at all.
PER_MEGABYTE = 1.0
LEAST = 0.5
# Pieces that mean something to one of the parsers.
PIECES = [
    b"\t", b"\n", b"\r\n", b"\n\n", b" ", b'"', b'""', b",", b"#", b"-DOCS",
    b"\xef\xbb\xbf", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xe2\x80\x8b", b"\xff",
    b"\x00", b"\x85", b"1-2", b"1.1", b"_", b"NOUN", b"no", b"null", b"NaN",
    b"1e999", b"-1", b"9" * 5000, b"[", b"{", b"]", b"}", b"[" * 3000,
    b"\\ud800", b"\\u0000", b"true", b"= ", b"[[", b'"""', b"'", b"first",
    b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"PAR1", b"O", b"B-", b"I-\xc3\xa9",
]  # fmt: skip


def inputs():
    """Noise, and right inputs with pieces put in, cut out and changed."""
    seed = st.sampled_from(sorted(SEEDS.values()))
    edit = st.tuples(
        st.integers(0, 2000),
        st.integers(0, 40),
        st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)),
    )

    def edited(base, edits):
        for place, length, piece in edits:
            place %= len(base) + 1
            base = base[:place] + piece + base[place + length :]
        return base

    return st.one_of(
        st.builds(edited, seed, st.lists(edit, max_size=5)),
        st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join),
        st.binary(max_size=200),
        st.text(max_size=80).map(lambda x: x.encode("utf-8", "replace")),
    )


def check(name, data):
    began = time.process_time()
    PARSERS[name](data)
    seconds = time.process_time() - began
    limit = max(LEAST, PER_MEGABYTE * len(data) / 1e6)
    assert seconds < limit, f"{seconds:.2f} s for {len(data)} bytes"


@pytest.mark.parametrize("name", PARSERS)
def test_parser_takes_anything(name):
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs())
    def run(data):
        check(name, data)

    run()


# No seed is packed, or has all settings of a run.
NO_SEED = ("gzip", "zip", "Parquet", "config.json")


@pytest.mark.parametrize(
    "name", [n for n in PARSERS if not any(x in n for x in NO_SEED)]
)
def test_parser_takes_what_is_right(name):
    """The seeds are good for something: one of them is not refused."""
    found = [PARSERS[name](data) for data in SEEDS.values()]
    assert any(x is not None for x in found)


@pytest.mark.slow  # hundreds of large inputs
@pytest.mark.parametrize(
    "piece",
    [b"a", b"\t", b'"', b"a\tNOUN\n", b"\n", b"[", b'{"a":', b"a,", b"\xff",
     b" ", b"1-2\t", b'"a\n', b"# x\n"],
)  # fmt: skip
def test_time_grows_with_the_length_only(piece):
    """A megabyte of one thing, through every parser."""
    data = piece * (1_000_000 // len(piece))
    for name in PARSERS:
        try:
            check(name, data)
        except ServingError:
            pass
