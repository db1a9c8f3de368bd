"""What the tests of runs share: settings of a tiny run."""

import pytest


@pytest.fixture
def tiny_settings(tmp_path):
    """Arguments of `default_config` for a run of some steps."""
    return {
        "task": "pos",
        "output_dir": str(tmp_path / "run"),
        "data_source": "sample",
        "preset": "tiny",
        "fusion_layer": 1,
        "epochs": 1,
        "batch_size": 8,
        "learning_rate": 1e-2,
        "train_limit": 32,
        "eval_limit": 4,
        "languages": ("zh", "en"),
    }
