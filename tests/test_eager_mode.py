"""Checks for how long tests do without graphs."""

import pytest
import tensorflow as tf

from tests.eager_mode import eagerly


def test_graphs_come_back_where_something_fails():
    with pytest.raises(ValueError, match="no run"), eagerly():
        assert tf.config.functions_run_eagerly()
        raise ValueError("no run")
    assert not tf.config.functions_run_eagerly()
