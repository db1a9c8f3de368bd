"""Tests of the old name of `dlfa_tf.analysis`."""

import pytest

import dlfa_tf
from dlfa_tf import analysis
from dlfa_tf import evaluation
from dlfa_tf.analysis import load_runs


def test_old_name_hands_out_what_the_new_one_has():
    assert evaluation.__all__ == analysis.__all__
    assert dir(evaluation) == dir(analysis)
    for name in analysis.__all__:
        assert getattr(evaluation, name) is getattr(analysis, name)
    assert load_runs is analysis.load_runs
    assert dlfa_tf.__getattr__("evaluation") is evaluation


def test_old_name_has_nothing_else():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = evaluation.nothing
