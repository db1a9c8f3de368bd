"""Tests of the engine's entrance; the run itself: test_session.py."""

import types

import pytest

from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.fit import fit


def test_uneven_batch_is_refused_before_anything_is_written(
    tiny_settings, tmp_path
):
    values = {**tiny_settings, "batch_size": 9}
    config = default_config(values.pop("task"), **values)
    strategy = types.SimpleNamespace(num_replicas_in_sync=2)
    with pytest.raises(ValueError, match="`batch_size`.*9 for 2 replicas"):
        fit(config, None, None, tmp_path, strategy=strategy)
    assert list(tmp_path.iterdir()) == []
