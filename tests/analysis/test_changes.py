"""What a system fixes and breaks."""

import numpy as np
import pytest

from dlfa_tf.analysis.changes import changed_items
from dlfa_tf.analysis.changes import count_changes
from dlfa_tf.analysis.changes import find_changes
from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task
from dlfa_tf.scoring.prediction_files import write_predictions


def collect(lab, task):
    return collect_scores(load_runs(lab.runs).of_task(task))


def source_of(lab, task):
    return Source(task=get_task(task), name="files", data_dir=str(lab.data))


def test_every_seed_must_agree(lab):
    for seed in (1, 2):
        lab.run("pos", "baseline", seed)
        lab.run("pos", "D_1", seed)
    scores = collect(lab, "pos")
    right = np.array(
        [
            [0, 0, 1, 1, 0],
            [0, 1, 1, 1, 0],
            [1, 1, 0, 0, 1],
            [1, 1, 0, 1, 1],
        ],
        bool,
    )
    fixed, broken = find_changes(scores, right, [2, 3])
    assert fixed.tolist() == [True, False, False, False, True]
    assert broken.tolist() == [False, False, True, False, False]
    assert find_changes(scores, right, [0, 1]) is None
    (row,) = count_changes(scores, right, [2, 3]).to_dict("records")
    assert row == {"fixed": 2, "broken": 1, "units": 5}


def test_word_is_shown_in_its_sentence(lab):
    folders = {
        system: lab.run("pos", system, languages=("de",), errors=0.0)
        for system in ("baseline", "D_1")
    }
    gold = lab.gold("pos", "de")
    number = next(i for i, tags in enumerate(gold) if len(tags) >= 3)
    wrong = [list(tags) for tags in gold]
    wrong[number][1] = "X"
    write_predictions(folders["baseline"], "test", "de", wrong)
    items = changed_items(collect(lab, "pos"), source_of(lab, "pos"), "D_1")
    words = [f"w{i}" for i in range(len(gold[number]))]
    words[1] = "[w1]"
    assert items.to_dict("records") == [
        {
            "language": "de",
            "item": number + 1,
            "change": "fixed",
            "text": " ".join(words),
            "gold": gold[number][1],
            "baseline": "X",
            "system": gold[number][1],
        }
    ]


def test_pair_is_shown_whole(lab):
    lab.run("pawsx", "baseline", languages=("de",), errors=0.0)
    folder = lab.run("pawsx", "D_1", languages=("de",), errors=0.0)
    gold = lab.gold("pawsx", "de")
    wrong = [*gold[:-1], "1" if gold[-1] == "0" else "0"]
    write_predictions(folder, "test", "de", wrong)
    (item,) = changed_items(
        collect(lab, "pawsx"), source_of(lab, "pawsx"), "D_1"
    ).to_dict("records")
    assert item["change"] == "broken" and item["item"] == len(gold)
    assert item["text"] == "29 a / b29"
    assert item["gold"] == item["baseline"] != item["system"]


@pytest.mark.parametrize("label", ["baseline", "D_7"])
def test_a_system_and_a_baseline_are_needed(lab, label):
    lab.run("pos", "baseline")
    lab.run("pos", "D_1")
    with pytest.raises(ValueError, match=rf"Received: '{label}'.*'D_1'"):
        changed_items(collect(lab, "pos"), source_of(lab, "pos"), label)
