"""Tests of what a killed process leaves."""

import pytest

from dlfa_tf.training.unfinished import remove_unfinished


def test_only_what_was_not_written_to_the_end_is_removed(tmp_path):
    for name in (".config.json.12.tmp", "predictions/.a.tsv.3.tmp", ".mine"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".model.7.tmp").mkdir()
    remove_unfinished(tmp_path)
    left = sorted(p.name for p in tmp_path.rglob("*"))
    assert left == [".mine", "predictions"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
