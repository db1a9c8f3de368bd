"""A tiny case of the benchmark of scores in low precision."""

import pytest

from benchmarks import low_precision
from dlfa_tf.data import get_task
from dlfa_tf.models import DLFATokenClassifier


@pytest.mark.parametrize(
    ("found", "wanted", "share"),
    [
        (["a", "b"], ["a", "c"], 0.5),
        ([["a", "b"], ["c", "d"]], [["a", "b"], ["c", "x"]], 0.75),
        ([["a"], []], [["a"], []], 1.0),
    ],
)
def test_share_of_equal_labels(found, wanted, share):
    assert low_precision.equal_share(found, wanted) == share


# Writes four exports.
@pytest.mark.slow
def test_tiny_model_is_scored_in_every_precision(tmp_path, lines_of):
    model = DLFATokenClassifier.from_preset(
        "tiny_sentencepiece", fusion_layer=1, labels=get_task("pos").labels
    )
    model.save_to_preset(str(tmp_path / "model"))
    lines = lines_of(
        low_precision, f"--model={tmp_path / 'model'}", "--task=pos",
        "--split=test", "--languages=de,en", "--limit=4",
    )  # fmt: skip
    cases = list(low_precision.EXPORTS)
    assert [line["case"] for line in lines] == [
        *(f"{language}, {case}" for language in ("de", "en") for case in cases),
        *(f"mean of 2 languages, {case}" for case in cases),
    ]
    for line in lines:
        if line["case"].endswith(", float32"):
            assert line["equal_labels_share"] == 1.0
            assert line["change_of_score"] == 0.0
        # Random weights: many tags are nearly as likely as others.
        assert 0.0 < line["equal_labels_share"] <= 1.0
        assert 0.0 <= line["score"] <= 100.0
