"""The section on data: its table, its pictures, its page."""

import pytest

from dlfa_tf.analysis.report import data_report
from dlfa_tf.data import doctor
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS


@pytest.fixture(scope="module")
def checkup():
    def count(examples):
        return {
            "words": 9.0, "pieces_per_word": 1.5, "unknown_words": 0.25,
            "long_items": 0.0,
        }  # fmt: skip

    return doctor.check_data(Source(task=TASKS["ner"], name="sample"), count)


def test_table_has_a_row_per_file(checkup):
    table = data_report.file_table(checkup)
    assert len(table.values) == len(checkup.files) == 11
    assert table.text.loc["train-en", "items"] == "291"
    assert table.text.loc["train-en", "in train"] == ""
    assert table.text.loc["test-ru", "unknown"] == "25.0%"
    assert table.text.loc["test-ru", "pieces per word"] == "1.50"
    assert table.text.loc["test-ru", "script"].endswith("%")


def test_columns_that_nobody_counted_are_left_out():
    source = Source(task=TASKS["xnli"], name="sample")
    table = data_report.file_table(doctor.check_data(source))
    assert not {"broken", "unknown"} & set(table.values.columns)


def test_page_shows_findings_and_pictures(checkup, tmp_path):
    path = data_report.write_data_report(checkup, tmp_path)
    text = path.read_text("utf-8")
    assert "Look (pieces): Words with pieces that the vocabulary" in text
    assert text.count("<img ") == 2
    assert "0 finding(s) that make scores wrong" in text
    written = {x.relative_to(tmp_path).as_posix() for x in tmp_path.rglob("*")}
    assert {"tables/data_ner.csv", "figures/data_labels_ner.png"} <= written


def test_page_without_files(tmp_path):
    found = doctor.Checkup(
        task=TASKS["ner"],
        files=(),
        findings=(doctor.Finding(is_wrong=True, what="file", text="No <b>"),),
    )
    text = data_report.write_data_report(found, tmp_path).read_text("utf-8")
    assert "Wrong (file): No &lt;b&gt;" in text
    assert "<img " not in text
