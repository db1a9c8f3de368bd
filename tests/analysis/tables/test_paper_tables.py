"""The paper's tables from summaries."""

import pandas as pd
import pytest

from dlfa_tf.analysis.tables.paper_tables import NO_RUN
from dlfa_tf.analysis.tables.paper_tables import table_1
from dlfa_tf.analysis.tables.paper_tables import table_2
from dlfa_tf.analysis.tables.paper_tables import table_4
from dlfa_tf.analysis.tables.table_files import to_markdown


def row(task, label, part, mean, **values):
    layer = int(label[2:]) if label != "baseline" else None
    return {
        "task": task, "label": label, "system": label, "gate": None,
        "layer": layer, "part": part, "seeds": 2, "mean": mean, "spread": 0.5,
        "gain": None, "low": None, "high": None, "interval": "", **values,
    }  # fmt: skip


GAIN = {"gain": 1.0, "low": -0.5, "high": 2.5, "interval": "items and seeds"}
SUMMARY = pd.DataFrame(
    [
        row("pawsx", "baseline", "en", 90.0),
        row("pawsx", "baseline", "de", 80.0),
        row("pawsx", "baseline", "zh", 70.0),
        row("pawsx", "baseline", "all", 80.0),
        row("pawsx", "baseline", "enf", 85.0),
        row("pawsx", "baseline", "noenf", 70.0),
        row("pawsx", "D_6", "en", 89.0, gain=-1.0),
        row("pawsx", "D_6", "de", 82.0, **GAIN),
        row("pawsx", "D_6", "zh", 72.0, **GAIN),
        row("pawsx", "D_6", "all", 81.0, **GAIN),
        row("pawsx", "D_6", "enf", 85.5, **GAIN),
        row("pawsx", "D_6", "noenf", 72.0, **GAIN),
        row("pos", "D_10", "all", 60.0, seeds=1, spread=None, gain=2.0,
            low=1.0, high=3.0, interval="items"),
        row("pos", "D_10", "de", 60.0),
    ]
).astype({"layer": "Int64"})  # fmt: skip


def test_table_1_has_ours_gains_and_published_apart():
    table = table_1(SUMMARY)
    text = table.text
    assert list(text.index) == ["baseline", "D_10", "D_6"]
    assert text.loc["D_6"].to_dict() == {
        "PAWSX ours": "81.00 ± 0.50 (2)",
        "PAWSX gain": "+1.00 [-0.50, +2.50]",
        "PAWSX published": "84.37",
        "POS ours": NO_RUN,
        "POS gain": "",
        "POS published": "71.29",
    }
    assert text.loc["baseline", "POS ours"] == NO_RUN
    assert text.loc["D_10", "POS ours"] == "60.00 (1)"
    assert text.loc["D_10", "POS gain"] == "+2.00 [+1.00, +3.00]†"
    notes = " ".join(table.notes)
    assert "items and seeds are both" in notes and "† one seed" in notes
    assert table.values.loc["D_6", "PAWSX mean"] == 81.0
    assert table.values.loc["D_6", "PAWSX published"] == 84.37


def test_best_of_a_column_is_marked_and_only_ours():
    table = table_1(SUMMARY)
    marked = table.best.stack()
    assert list(marked[marked].index) == [
        ("D_10", "POS ours"),
        ("D_6", "PAWSX ours"),
    ]
    assert "| D_6 | **81.00 ± 0.50 (2)** |" in to_markdown(table)


def test_one_system_alone_is_not_marked():
    table = table_1(SUMMARY[SUMMARY["task"] == "pos"])
    assert not table.best.any(axis=None)


def test_table_2_needs_english_german_and_others():
    table = table_2(SUMMARY)
    assert table.text.loc["D_6"].to_dict() == {
        "PAWSX enf ours": "85.50 ± 0.50 (2)",
        "PAWSX enf gain": "+1.00 [-0.50, +2.50]",
        "PAWSX enf published": "90.00",
        "PAWSX noenf ours": "72.00 ± 0.50 (2)",
        "PAWSX noenf gain": "+1.00 [-0.50, +2.50]",
        "PAWSX noenf published": "82.12",
    }
    assert table_2(SUMMARY[SUMMARY["task"] == "pos"]) is None
    assert table_2(SUMMARY[SUMMARY["part"] != "en"]) is None


def test_table_4_has_a_row_per_language_and_average():
    table = table_4(SUMMARY, "pawsx")
    assert list(table.text.index) == [
        "en", "de", "zh", "avg", "avg enf", "avg noenf"
    ]  # fmt: skip
    assert table.text.loc["zh"].to_dict() == {
        "baseline ours": "70.00 ± 0.50 (2)",
        "baseline published": "77.00",
        "D_6 ours": "72.00 ± 0.50 (2)",
        "D_6 gain": "+1.00 [-0.50, +2.50]",
        "D_6 published": "81.20",
    }
    assert table.best.loc["en", "baseline ours"]
    assert table.best.loc["zh", "D_6 ours"]
    chosen = table_4(SUMMARY, "pawsx", ["D_6"])
    assert not any("baseline" in name for name in chosen.text.columns)


def test_table_4_refuses_what_is_not_there():
    with pytest.raises(ValueError, match=r"systems \['D_9'\].*baseline"):
        table_4(SUMMARY, "pawsx", ["D_9"])
    with pytest.raises(ValueError, match="task 'xnli'.*pawsx"):
        table_4(SUMMARY, "xnli")


def test_gains_without_intervals_say_why():
    bare = SUMMARY.assign(low=None, high=None, interval="")
    table = table_1(bare)
    assert table.text.loc["D_6", "PAWSX gain"] == "+1.00"
    assert "No intervals" in table.notes[-1]
