"""Counts of errors, against the predictions themselves."""

import pytest

from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.errors import find_errors
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.data.readers import read_label_file
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task


def find(lab, task):
    source = Source(task=get_task(task), name="files", data_dir=str(lab.data))
    scores = collect_scores(load_runs(lab.runs).of_task(task))
    return find_errors(scores, source)


def labels_of(path, task):
    task = get_task(task)
    return read_label_file(path, task.labels, task.kind)


def test_confusions_are_summed_over_seeds(lab):
    gold = lab.gold("pawsx", "de")
    folders = [lab.run("pawsx", "D_1", seed) for seed in (1, 2)]
    frame = find(lab, "pawsx").confusion.query("language == 'de'")
    pairs = [
        pair
        for folder in folders
        for pair in zip(
            gold,
            labels_of(folder / "predictions" / "test-de.tsv", "pawsx"),
            strict=True,
        )
    ]
    for row in frame.itertuples():
        assert row.count == pairs.count((row.gold, row.predicted))
    assert frame["count"].sum() == len(pairs) == 60


@pytest.mark.parametrize("task", ["pos", "ner"])
def test_types_add_up_to_the_score_of_the_language(lab, task):
    folder = lab.run(task, "D_1")
    frame = find(lab, task).by_type.query("language == 'zh'")
    right, gold, found = frame[["right", "gold", "found"]].sum()
    (run,) = load_runs(folder.parent).runs
    score = run.results["languages"]["zh"]["score"]
    assert 200 * right / (gold + found) == pytest.approx(score)
    names = set(frame["type"])
    assert names <= (
        {"PER", "ORG", "LOC"} if task == "ner" else set(get_task(task).labels)
    )


def test_classes_of_pairs_by_hand(lab):
    gold = lab.gold("pawsx", "de")
    folder = lab.run("pawsx", "D_1")
    said = labels_of(folder / "predictions" / "test-de.tsv", "pawsx")
    frame = find(lab, "pawsx").by_type.query("language == 'de'")
    row = frame.set_index("type").loc["1"]
    right = sum(a == b == "1" for a, b in zip(gold, said, strict=True))
    assert row["right"] == right
    assert row["recall"] == pytest.approx(100 * right / gold.count("1"))
    assert row["precision"] == pytest.approx(100 * right / said.count("1"))


def test_lengths_are_of_words_and_add_up(lab):
    gold = lab.gold("pos", "en")
    lab.run("pos", "D_1")
    frame = find(lab, "pos").by_length.query("language == 'en'")
    items = dict(zip(frame["length"], frame["items"], strict=True))
    assert items == {
        "up to 5 words": sum(len(x) <= 5 for x in gold),
        "6 to 10 words": sum(6 <= len(x) <= 10 for x in gold),
    }


def test_lengths_of_pairs_are_of_both_texts(lab):
    lab.run("pawsx", "D_1")
    frame = find(lab, "pawsx").by_length.query("language == 'en'")
    assert frame["length"].tolist() == ["up to 50 characters"]
    assert frame["items"].tolist() == [30]


def test_changes_have_no_row_for_the_baseline(lab):
    lab.run("pos", "D_1")
    assert find(lab, "pos").changes.empty
    lab.run("pos", "baseline", errors=0.5)
    changes = find(lab, "pos").changes
    assert set(changes["label"]) == {"D_1"}
    assert (changes["fixed"] > 0).all()
