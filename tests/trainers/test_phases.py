"""Tests of trainers.phases."""

import pytest

from trainers.phases import Phases


@pytest.fixture
def walked():
    """`walked(seconds, ...)`: what is said where parts take so long."""

    def walked(*seconds):
        now, said = [0.0], []
        phases = Phases(
            {"a": 0.25, "b": 0.5, "c": 0.25}, said.append, lambda: now[0]
        )
        for name, taken in zip("abc", seconds, strict=True):
            with phases.phase(name):
                now[0] += taken
        return said

    return walked


def test_bar_grows_and_time_left_follows_what_was_done(walked):
    assert walked(50, 100, 50) == [
        "[--------------------] 1 of 3: a",
        "[#####---------------] 2 of 3: b (about 2 min left)",
        "[###############-----] 3 of 3: c (about 50 s left)",
    ]


def test_parts_done_before_say_nothing_of_the_time(walked):
    assert walked(0.1, 0.2, 50)[2] == "[###############-----] 3 of 3: c"
    assert walked(0.1, 100, 5)[2].endswith("(about 50 s left)")


def test_part_that_fails_ends_the_program():
    phases = Phases({"a": 1.0}, lambda _: None)
    with pytest.raises(KeyError, match="x"), phases.phase("a"):
        raise KeyError("x")
    with pytest.raises(ValueError, match="not in list"), phases.phase("b"):
        pass
