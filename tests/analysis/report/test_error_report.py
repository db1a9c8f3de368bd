"""The part of the report that is about errors."""

import pandas as pd
import pytest

from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.report.error_report import error_section
from dlfa_tf.analysis.report.error_report import preferred
from dlfa_tf.analysis.report.report_page import page
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task


def section_of(lab, task, folder):
    source = Source(task=get_task(task), name="files", data_dir=str(lab.data))
    scores = collect_scores(load_runs(lab.runs).of_task(task))
    return error_section(scores, source, folder)


@pytest.mark.parametrize("task", ["ner", "pawsx"])
def test_files_tables_and_picture(lab, tmp_path, task):
    lab.run(task, "baseline", errors=0.4)
    lab.run(task, "D_1", errors=0.2, dev_score=80.0)
    lab.run(task, "D_2", errors=0.1, dev_score=85.0)
    out = tmp_path / "out"
    section = section_of(lab, task, out)
    files = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*"))
    tables = [x for x in files if x.endswith(".md")]
    assert tables == [
        f"tables/errors_{task}_{name}.md"
        for name in ("changes", "examples", "length", "type")
    ]
    assert [x for x in files if x.startswith("errors/")] == sorted(
        [
            f"errors/{task}_D_2_items.tsv",
            *(
                f"errors/{task}_{name}.csv"
                for name in ("by_length", "by_type", "changes", "confusion")
            ),
        ]
    )
    assert f"figures/confusion_{task}.png" in files
    items = pd.read_csv(out / f"errors/{task}_D_2_items.tsv", sep="\t")
    assert set(items["change"]) == {"fixed", "broken"}
    text = page("x", [section])
    assert 'class="text" dir="auto"' in text
    assert text.count("<table") == 4 and "data:image/png" in text


def test_means_are_over_target_languages_that_have_the_type(lab, tmp_path):
    lab.run("pawsx", "baseline")
    lab.run("pawsx", "D_1", errors=0.1)
    section_of(lab, "pawsx", tmp_path / "out")
    by_type = pd.read_csv(tmp_path / "out/errors/pawsx_by_type.csv")
    table = pd.read_csv(
        tmp_path / "out/tables/errors_pawsx_type.csv", index_col="class"
    )
    expected = by_type.query("language != 'en' and type == 1 and label=='D_1'")
    assert len(expected) == 2
    assert table.loc[1, "D_1"] == pytest.approx(expected["f1"].mean())


def test_one_gate_is_said_below_the_tables(lab, tmp_path):
    lab.run("pawsx", "baseline")
    lab.run("pawsx", "D_1", errors=0.1, gate="attention")
    section_of(lab, "pawsx", tmp_path / "out")
    for name in ("changes", "length", "type"):
        table = tmp_path / f"out/tables/errors_pawsx_{name}.md"
        assert "Gate of every D_x: attention." in table.read_text()


def test_without_a_baseline_there_is_nothing_fixed(lab, tmp_path):
    lab.run("pos", "D_1")
    section_of(lab, "pos", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").rglob("*.*")}
    assert "errors_pos_changes.md" not in names
    assert "confusion_pos.png" in names


def test_system_is_chosen_by_english_dev_over_its_seeds(lab):
    lab.run("pos", "baseline", dev_score=99.0)
    lab.run("pos", "D_1", 1, dev_score=90.0)
    lab.run("pos", "D_1", 2, dev_score=70.0)
    lab.run("pos", "D_2", dev_score=85.0)
    scores = collect_scores(load_runs(lab.runs).runs)
    assert preferred(scores) == "D_2"
    lab_runs = load_runs(lab.runs).select(systems=["baseline"]).runs
    assert preferred(collect_scores(lab_runs)) is None
