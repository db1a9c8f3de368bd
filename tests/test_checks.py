"""Tests of the checks of arguments that several packages share.

What the layers and models check by them is tested there.
"""

import math

import pytest

from dlfa_tf.checks import check_choice
from dlfa_tf.checks import check_count
from dlfa_tf.checks import check_finite_number
from dlfa_tf.checks import check_fraction
from dlfa_tf.checks import check_known
from dlfa_tf.checks import check_mask_shape
from dlfa_tf.checks import check_positive_number
from dlfa_tf.checks import check_reduction_ratio
from dlfa_tf.checks import check_sequence_shape
from dlfa_tf.checks import check_share
from dlfa_tf.checks import nearest_hint
from dlfa_tf.checks import one_line


def test_nearest_name_is_offered():
    assert nearest_hint("smaple", ("files", "sample")) == (
        " Did you mean 'sample'?"
    )
    assert nearest_hint("noun", ("NOUN", "VERB")) == " Did you mean 'NOUN'?"


def test_nothing_is_offered_that_is_far():
    assert nearest_hint("tfds", ("files", "sample")) == ""
    assert nearest_hint("", ()) == ""


def test_choice_says_what_it_takes():
    assert check_choice("norm", "layer", ("layer", "batch")) == "layer"
    with pytest.raises(ValueError) as caught:
        check_choice("norm", "layr", ("layer", "batch"))
    assert str(caught.value) == (
        "`norm` is not a known name. Received: 'layr'. Accepted: 'layer', "
        "'batch'. Did you mean 'layer'?"
    )
    with pytest.raises(ValueError, match=r"Received: 3\. Accepted: 'layer'\.$"):
        check_choice("norm", 3, ("layer",))


@pytest.mark.parametrize(
    ("check", "good", "bad", "accepted"),
    [
        (check_finite_number, (0, -1e9), (math.inf, math.nan), "finite"),
        (check_positive_number, (1, 0.5), (0, -1, math.inf), "above 0"),
        (check_share, (0.5,), (0, 1, math.nan), "between 0 and 1"),
        (check_fraction, (0, 0.5), (-1e-9, 1, math.nan), "0 to below 1"),
    ],
    ids=["finite", "positive", "share", "fraction"],
)
def test_numbers_have_bounds(check, good, bad, accepted):
    for value in good:
        assert check("rate", value) == float(value)
    for value in bad:
        with pytest.raises(ValueError, match=f"`rate`.*Accepted: .*{accepted}"):
            check("rate", value)
    for value in ("1", True, None):
        with pytest.raises(TypeError, match=f"Received: {value!r} of type"):
            check("rate", value)


def test_count_is_a_whole_number():
    assert check_count("steps", 3) == 3
    with pytest.raises(ValueError, match="Received: 7. Accepted: 8 pieces or"):
        check_count("length", 7, 8, "pieces")
    for value in (True, 2.0, "3", None):
        with pytest.raises(TypeError, match="`steps` must be a whole number"):
            check_count("steps", value)


def test_unknown_argument_is_named_with_the_nearest():
    check_known("fit", ["x", "y"], ("x", "y"))
    with pytest.raises(TypeError, match="'class_weights'.*'class_weight'"):
        check_known("fit", {"class_weights": 1}, ("x", "class_weight"))


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("line '  ' of  two", "line '  ' of  two"),
        ("a\n   b\r\n\nc  ", "a b c"),
        ("\u2028 stays\x85 ", "\u2028 stays\x85"),
        ("", ""),
    ],
)
def test_one_line_keeps_the_values_as_they_are(message, line):
    assert one_line(ValueError(message)) == line


def test_ratio_is_a_whole_number_from_one():
    assert check_reduction_ratio(4) == 4
    with pytest.raises(TypeError, match="Received: 2.0 of type float"):
        check_reduction_ratio(2.0)
    with pytest.raises(ValueError, match="Received: 0. Accepted: integers"):
        check_reduction_ratio(0)


def test_shapes_may_have_unknown_sizes():
    assert check_sequence_shape("x", (None, None, 8)) == 8
    check_mask_shape("x", (None, 5, 8), (2, None))
    with pytest.raises(ValueError, match=r"`x`.*Received: \(2, 8\)"):
        check_sequence_shape("x", (2, 8))
    with pytest.raises(ValueError, match=r"mask \(2, 4\) for x \(2, 5, 8\)"):
        check_mask_shape("x", (2, 5, 8), (2, 4))
