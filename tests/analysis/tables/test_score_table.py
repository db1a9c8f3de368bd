"""Tables of results."""

import copy

import pytest

from dlfa_tf.analysis.tables.score_table import score_table


def make_results(system, scores, splits=None):
    splits = splits or {}
    return {
        "system": system,
        "score": "pos_f1",
        "label_piece": "first",
        "config": {"task": "pos", "data_source": "files", "preset": "tiny"},
        "languages": {
            language: {"score": score, "split": splits.get(language, "test")}
            for language, score in scores.items()
        },
        "averages": {"all": sum(scores.values()) / len(scores), "others": None},
    }


def test_score_table_has_a_row_per_system_and_names_dev():
    table = score_table(
        [
            make_results("baseline", {"en": 90.0, "de": 70.0}, {"de": "dev"}),
            make_results("D_9", {"en": 91.0, "de": 75.0}, {"de": "dev"}),
        ]
    )
    assert list(table.columns) == ["de (dev)", "en", "avg", "avg w/o en"]
    assert list(table.index) == ["baseline", "D_9"]
    assert table.loc["D_9", "de (dev)"] == 75.0
    assert table.loc["D_9", "avg"] == 83.0


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda r: r["config"].update(task="ner"), "task: 'pos' and 'ner'"),
        (lambda r: r["config"].update(train_limit=5), "train_limit: None and"),
        (
            lambda r: r["config"].update(learning_rate=1.0),
            "learning_rate",
        ),
    ],
    ids=["task", "train_limit", "recipe"],
)
def test_score_table_refuses_runs_that_differ(change, message):
    first = make_results("baseline", {"en": 90.0, "de": 70.0})
    second = copy.deepcopy(first)
    second["system"] = "D_9"
    change(second)
    with pytest.raises(ValueError, match="not comparable.*" + message):
        score_table([first, second])


def test_score_table_refuses_runs_on_other_languages():
    with pytest.raises(ValueError, match=r"same languages.*\['de', 'en'\]"):
        score_table(
            [
                make_results("baseline", {"en": 90.0, "de": 70.0}),
                make_results("D_9", {"en": 90.0}),
            ]
        )


def test_score_table_refuses_two_runs_of_one_system_and_none():
    results = make_results("D_9", {"en": 90.0})
    with pytest.raises(ValueError, match="Two runs of system 'D_9'"):
        score_table([results, results])
    with pytest.raises(ValueError, match="`runs` is empty"):
        score_table([])


def test_sources_and_few_shot_languages_are_named():
    results = make_results("D_9", {"de": 90.0, "en": 91.0, "zh": 70.0})
    results["config"] |= {
        "source_languages": ["de", "en"],
        "target_examples": ["zh:100"],
    }
    table = score_table([results])
    assert list(table.columns) == [
        "de", "en", "zh (few-shot)", "avg", "avg w/o de+en",
    ]  # fmt: skip
    # Without a source among them both averages would be the same.
    results = make_results("D_9", {"de": 90.0, "zh": 70.0})
    assert list(score_table([results]).columns) == ["de", "zh", "avg"]


def test_runs_of_older_versions_were_trained_on_english():
    old = make_results("baseline", {"en": 90.0, "de": 70.0})
    new = make_results("D_9", {"en": 90.0, "de": 70.0})
    new["config"]["source_languages"] = ["en"]
    assert len(score_table([old, new])) == 2
    new["config"]["source_languages"] = ["de"]
    with pytest.raises(ValueError, match=r"source_languages: \['en'\] and"):
        score_table([old, new])
