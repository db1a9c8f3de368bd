"""Table 3 from frames of similarities."""

import pandas as pd
import pytest

from dlfa_tf.analysis.tables.similarity_table import table_3

COLUMNS = ("label", "system", "layer", "seed", "language", "cosine",
           "unrelated", "retrieved", "items")  # fmt: skip


def frame_of(*rows):
    return pd.DataFrame(rows, columns=COLUMNS).astype({"layer": "Int64"})


def gains_of(**rows):
    columns = ["gain", "low", "high", "interval"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


PAWSX = frame_of(
    ("D_6", "D_6", 6, 1, "de", 0.85, 0.0, 80.0, 2),
    ("D_6", "D_6", 6, 1, "zh", 0.55, 0.9, 50.0, 2),
    ("D_6", "D_6", 6, 2, "de", 0.45, 0.0, 80.0, 2),
    ("D_6", "D_6", 6, 2, "zh", 0.15, 0.9, 51.0, 2),
    ("baseline", "baseline", None, 1, "de", 0.25, 0.1, 90.0, 2),
    ("baseline", "baseline", None, 1, "zh", 0.15, 0.1, 90.0, 2),
)
PAWSX_GAINS = gains_of(D_6=[0.3, 0.1, 0.52, "items"])


def test_table_3_by_hand():
    table = table_3({"pawsx": PAWSX}, {"pawsx": PAWSX_GAINS})
    assert list(table.text.index) == ["baseline", "D_6"]
    # Seed 1: (0.85 + 0.55) / 2, seed 2: (0.45 + 0.15) / 2; sd 0.4 / sqrt(2).
    assert table.text.loc["D_6"].to_dict() == {
        "PAWSX ours": "0.5000 ± 0.2828 (2)",
        "PAWSX gain": "+0.3000 [+0.1000, +0.5200]†",
        "PAWSX unrelated": "0.4500",
        "PAWSX retrieved": "65.2",
        "PAWSX difference": "0.0500",
        "PAWSX published": "0.9461",
        "PAWSX de": "0.6500",
        "PAWSX zh": "0.3500",
    }
    base = table.text.loc["baseline"]
    assert base["PAWSX ours"] == "0.2000 (1)"
    assert base["PAWSX published"] == "" and base["PAWSX gain"] == ""
    assert table.values.loc["D_6", "PAWSX mean"] == pytest.approx(0.5)
    assert table.values.loc["D_6", "PAWSX low"] == pytest.approx(0.1)
    notes = " ".join(table.notes)
    assert "2 items a language" in notes and "† one seed" in notes
    # Two systems have no trend.
    assert "rank correlation" not in notes


def test_trend_is_said_of_four_fused_systems():
    rows = [
        (f"D_{x}", f"D_{x}", x, 1, "de", 0.9 - x / 20, x / 20, 50.0 + x, 3)
        for x in (6, 8, 9, 11)
    ]
    gains = gains_of()
    table = table_3({"xnli": frame_of(*rows)}, {"xnli": gains})
    assert (
        "XNLI: rank correlation (Spearman) with x over the fused systems; -1: "
        "every lower block has more: cosine -1.00, unrelated +1.00, "
        "difference -1.00, retrieved +1.00."
    ) in table.notes


def test_system_without_a_model_in_a_task_says_so():
    xnli = frame_of(("D_6", "D_6", 6, 1, "de", 0.5, 0.4, 10.0, 2))
    table = table_3(
        {"pawsx": PAWSX, "xnli": xnli},
        {"pawsx": PAWSX_GAINS, "xnli": gains_of()},
    )
    assert table.text.loc["baseline", "XNLI ours"] == "no model"
    assert table.text.loc["D_6", "XNLI ours"] == "0.5000 (1)"
    assert table.text.loc["D_6", "XNLI gain"] == ""


def test_nothing_parallel_no_table():
    assert table_3({"pos": frame_of()}, {"pos": gains_of()}) is None
    assert table_3({}, {}) is None
