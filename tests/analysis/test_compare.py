"""Systems against their baseline."""

import numpy as np
import pytest

from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.compare import summarize
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.data.readers import read_label_file
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task
from dlfa_tf.metrics.bootstrap import paired_bootstrap


def source_of(lab, task):
    return Source(task=get_task(task), name="files", data_dir=str(lab.data))


def collect(lab, task, **arguments):
    runs = load_runs(lab.runs).of_task(task)
    return collect_scores(runs, source_of(lab, task), **arguments)


def cell(summary, label, part):
    rows = summary[(summary["label"] == label) & (summary["part"] == part)]
    return rows.iloc[0]


@pytest.mark.parametrize("task", ["pos", "ner", "pawsx"])
def test_draws_scatter_around_the_scores_of_the_results(lab, task):
    lab.run(task, "baseline", errors=0.4)
    lab.run(task, "D_1", errors=0.2)
    scores = collect(lab, task, num_samples=400)
    assert scores.languages == ("de", "en", "zh")
    assert scores.draws.shape == (400, 2, 3)
    assert scores.draws.mean(axis=0) == pytest.approx(scores.scores, abs=3)


def test_means_gains_and_spreads_by_hand(lab):
    for seed, errors in ((1, 0.2), (2, 0.5)):
        lab.run("pawsx", "baseline", seed, errors=errors)
        lab.run("pawsx", "D_1", seed, errors=0.1)
    scores = collect(lab, "pawsx")
    summary = summarize(scores)
    base, fused = scores.scores[:2], scores.scores[2:]
    row = cell(summary, "D_1", "all")
    assert row["mean"] == pytest.approx(fused.mean())
    assert row["spread"] == pytest.approx(fused.mean(axis=1).std(ddof=1))
    assert row["gain"] == pytest.approx(fused.mean() - base.mean())
    assert row["low"] < row["gain"] < row["high"]
    assert row["seeds"] == 2 and row["interval"] == "items and seeds"
    assert cell(summary, "D_1", "de")["mean"] == pytest.approx(
        fused[:, 0].mean()
    )
    others = cell(summary, "D_1", "others")["mean"]
    assert others == pytest.approx(fused[:, [0, 2]].mean())
    assert cell(summary, "D_1", "noenf")["mean"] == pytest.approx(
        fused[:, 2].mean()
    )
    own = cell(summary, "baseline", "all")
    assert np.isnan(own["gain"]) and own["interval"] == ""


def test_seeds_widen_the_interval(lab):
    lab.run("pawsx", "baseline", 1, errors=0.2)
    lab.run("pawsx", "D_1", 1, errors=0.2)
    one = cell(summarize(collect(lab, "pawsx")), "D_1", "all")
    assert one["interval"] == "items" and np.isnan(one["spread"])
    lab.run("pawsx", "baseline", 2, errors=0.9)
    lab.run("pawsx", "D_1", 2, errors=0.9)
    two = cell(summarize(collect(lab, "pawsx")), "D_1", "all")
    assert two["high"] - two["low"] > 1.5 * (one["high"] - one["low"])


def test_one_seed_each_is_the_paired_bootstrap(lab):
    folders = [lab.run("pos", "baseline"), lab.run("pos", "D_1", errors=0.2)]
    task = get_task("pos")
    labels = [
        {
            x: read_label_file(folder / f"test-{x}.tsv", task.labels, task.kind)
            for x in ("de", "en", "zh")
        }
        for folder in (
            lab.data / task.folder,
            *(folder / "predictions" for folder in folders),
        )
    ]
    expected = paired_bootstrap(*labels, "pos_f1")
    row = cell(summarize(collect(lab, "pos")), "D_1", "all")
    for name, key in (("gain", "difference"), ("low", "low"), ("high", "high")):
        assert row[name] == pytest.approx(expected[key])


def copy_english(lab, task, folder):
    """Makes German a copy of English in every respect."""
    for where in (folder / "predictions", lab.data / get_task(task).folder):
        copy = (where / "test-en.tsv").read_bytes()
        (where / "test-de.tsv").write_bytes(copy)
    lab.change(folder, lambda r: r["languages"].update(de=r["languages"]["en"]))


def correlation_of_german_and_english(lab, task):
    draws = collect(lab, task, num_samples=200).draws
    return np.corrcoef(draws[:, 0, 0], draws[:, 0, 1])[0, 1]


@pytest.mark.parametrize(
    ("task", "low", "high"), [("pawsx", 1 - 1e-9, 1 + 1e-9), ("pos", -0.3, 0.3)]
)
def test_translations_of_a_pair_task_are_drawn_together(lab, task, low, high):
    for seed in (1, 2):
        copy_english(lab, task, lab.run(task, "baseline", seed, errors=0.4))
    assert low <= correlation_of_german_and_english(lab, task) <= high


def test_dev_and_test_are_not_drawn_together(lab):
    folder = lab.run("pawsx", "baseline", languages=("de", "en"))
    copy_english(lab, "pawsx", folder)
    lab.change(folder, lambda r: r["languages"]["de"].update(split="dev"))
    for where in (folder / "predictions", lab.data / "pawsx"):
        (where / "test-de.tsv").rename(where / "dev-de.tsv")
    assert abs(correlation_of_german_and_english(lab, "pawsx")) < 0.3


def test_without_labels_there_are_gains_but_no_intervals(lab):
    lab.run("pos", "baseline")
    lab.run("pos", "D_1")
    row = cell(
        summarize(collect_scores(load_runs(lab.runs).runs)), "D_1", "all"
    )
    assert not np.isnan(row["gain"])
    assert np.isnan(row["low"]) and row["interval"] == ""


def test_without_a_baseline_there_is_no_gain(lab):
    lab.run("pos", "D_1")
    row = cell(summarize(collect(lab, "pos")), "D_1", "all")
    assert np.isnan(row["gain"]) and row["mean"] > 0


def test_languages_that_some_run_lacks_are_left_out_and_named(lab):
    lab.run("pos", "baseline", languages=("de", "en", "zh"))
    folder = lab.run("pos", "D_1", languages=("de", "en"))
    scores = collect(lab, "pos")
    assert scores.languages == ("de", "en")
    assert scores.left_out == {"zh": [str(folder)]}


def test_runs_without_a_common_language_and_no_runs_are_refused(lab):
    lab.run("pos", "baseline", languages=("de",))
    lab.run("pos", "D_1", languages=("en",))
    with pytest.raises(ValueError, match="share no language"):
        collect(lab, "pos")
    with pytest.raises(ValueError, match="`runs` is empty"):
        collect_scores([])


def test_other_settings_are_refused(lab):
    lab.run("pos", "baseline")
    lab.run("pos", "D_1", learning_rate=0.2)
    with pytest.raises(ValueError, match="learning_rate: 0.1 and 0.2"):
        collect(lab, "pos")


def test_data_that_the_runs_were_not_scored_on_are_refused(lab):
    lab.run("pawsx", "baseline")
    path = lab.data / "pawsx" / "test-en.tsv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:] + lines[:1]))
    with pytest.raises(ValueError, match="not those that.*language 'en'"):
        collect(lab, "pawsx")
    path.write_text("".join(lines[1:]))
    with pytest.raises(ValueError, match="differ in number.*29 and 30 items"):
        collect(lab, "pawsx")


def test_missing_predictions_are_named(lab):
    folder = lab.run("pawsx", "baseline")
    (folder / "predictions" / "test-zh.tsv").unlink()
    with pytest.raises(FileNotFoundError, match="No test file.*'zh'"):
        collect(lab, "pawsx")
