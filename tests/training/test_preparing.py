"""Tests of what is read and tokenised before training."""

import numpy as np
import pytest

from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.preparing import prepare
from dlfa_tf.training.preparing import read_data


@pytest.fixture
def make(tiny_settings):
    tiny_settings["train_limit"] = 24

    def make(**changes):
        values = {**tiny_settings, **changes}
        return default_config(values.pop("task"), **values)

    return make


def test_limit_takes_from_one_shuffle_whatever_the_seed(make, tiny_settings):
    def chosen(**changes):
        return read_data(make(**changes)).train

    del tiny_settings["train_limit"]
    everything = chosen()
    tiny_settings["train_limit"] = 24
    first = chosen()
    assert len(first) == 24
    assert first == chosen()
    assert first == chosen(seed=2)
    assert first != everything[:24]
    assert all(example in everything for example in first)
    assert chosen(train_limit=10**6) == everything


@pytest.mark.parametrize("compact", [True, False], ids=["compact", "full"])
def test_prepared_arrays_stand_for_the_same_pieces(make, eager, compact):
    config = make(compact_vocabulary=compact)
    data = read_data(config)
    preprocessor = build_model(config).preprocessor
    prepared = prepare(config, data, preprocessor)
    full = prepare(make(compact_vocabulary=False), data, preprocessor)
    assert (prepared.used_ids is not None) == compact
    names = prepared.used_ids if compact else np.arange(10**4)
    for part in ("train", "dev"):
        mine, whole = getattr(prepared, part), getattr(full, part)
        np.testing.assert_array_equal(names[mine.token_ids], whole.token_ids)
        np.testing.assert_array_equal(mine.labels, whole.labels)
    assert names[prepared.pad_id] == preprocessor.pieces.pad_id
    assert prepared.train_examples == 24
    assert prepared.dev_gold == [list(s.tags) for s in data.dev]
    assert prepared.use_segment_ids
