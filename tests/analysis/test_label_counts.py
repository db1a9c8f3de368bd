"""Gold labels and predictions as counts."""

import pytest

from dlfa_tf.analysis.label_counts import counts_of_runs
from dlfa_tf.analysis.label_counts import read_gold
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task


def test_counts_give_the_scores_of_the_results(lab):
    lab.run("ner", "baseline")
    lab.run("ner", "D_1", errors=0.1)
    runs = load_runs(lab.runs).runs
    source = Source(task=get_task("ner"), name="files", data_dir=str(lab.data))
    counts = counts_of_runs(runs, source, "zh")
    assert counts.shape == (2, 30, 3)
    for run, found in zip(runs, counts.sum(axis=1), strict=True):
        score = 200 * found[0] / (found[1] + found[2])
        assert score == pytest.approx(run.results["languages"]["zh"]["score"])


def test_gold_of_files_and_of_the_sample(lab):
    task = get_task("pos")
    gold = lab.gold("pos", "de")
    source = Source(task=task, name="files", data_dir=str(lab.data))
    found = read_gold(source, "test", "de", 4)
    assert [task.labels[i] for i in found.ids] == sum(gold[:4], [])
    # Three columns: the tag of POS is not the last.
    sample = Source(task=task, name="sample")
    found = read_gold(sample, "test", "de", 2)
    expected = sample.load("test", "de", 2)
    assert [task.labels[i] for i in found.ids] == [
        tag for sentence in expected for tag in sentence.tags
    ]


def test_limit_of_the_runs_is_kept(lab):
    folder = lab.run("pawsx", "D_1", eval_limit=30)
    path = lab.data / "pawsx" / "test-de.tsv"
    path.write_text(path.read_text() + "more\tthan\t0\n")
    source = Source(
        task=get_task("pawsx"), name="files", data_dir=str(lab.data)
    )
    runs = load_runs(folder.parent).runs
    assert counts_of_runs(runs, source, "de").shape == (1, 30, 3)
