"""Tests of scores in the terminal."""

from trainers.result_table import print_results
from trainers.result_table import print_task_scores


def results(system, scores, missing=(), splits=None):
    values = list(scores.values())
    others = [v for k, v in scores.items() if k != "en"]
    return {
        "system": system,
        "score": "pos_f1",
        "config": {"task": "pos", "preset": "tiny", "data_source": "sample"},
        "languages": {
            k: {"score": v, "split": (splits or {}).get(k, "test")}
            for k, v in scores.items()
        },
        "averages": {
            "all": sum(values) / len(values),
            "others": sum(others) / len(others) if others else None,
        },
        "missing_languages": list(missing),
    }


def cells(output):
    """Rows of the table as lists of texts."""
    lines = [x for x in output.splitlines() if x[:1] in "│┃"]
    return [
        [cell.strip() for cell in line.replace("┃", "│").split("│")[1:-1]]
        for line in lines
    ]


def test_a_row_per_run_and_a_column_per_language(capsys):
    baseline = results("baseline", {"zh": 12.34, "en": 90.0, "de": 40.0})
    fused = results("D_9", {"zh": 20.0, "en": 91.0, "de": 0.0})
    print_results([baseline, fused])
    output = capsys.readouterr().out
    title = "pos: pos_f1 in percent, preset tiny, data source sample"
    assert title in " ".join(output.split())
    assert cells(output) == [
        ["system", "de", "en", "zh", "avg", "avg w/o en"],
        ["baseline", "40.0", "90.0", "12.3", "47.4", "26.2"],
        ["D_9", "0.0", "91.0", "20.0", "37.0", "10.0"],
    ]
    assert "left out" not in output


def test_dev_files_are_marked(capsys):
    print_results([results("D_1", {"de": 1.0}, splits={"de": "dev"})])
    assert cells(capsys.readouterr().out)[0][1] == "de (dev)"


def test_average_over_nothing_is_a_dash(capsys):
    print_results([results("D_1", {"en": 1.0})])
    assert cells(capsys.readouterr().out)[1] == ["D_1", "1.0", "1.0", "-"]


def test_missing_languages_are_named(capsys):
    run = results("D_1", {"de": 1.0}, missing=["ar", "zh"])
    print_results([run])
    run["config"]["languages"] = ["available"]
    print_results([run])
    output = capsys.readouterr().out
    assert output.count("No data, left out of the averages: ar, zh") == 2


def test_languages_that_nobody_asked_for_are_not_missing(capsys):
    run = results("D_1", {"de": 1.0}, missing=["ar", "zh"])
    print_results([run], ["de"])
    run["config"]["languages"] = ["de"]
    print_results([run])
    assert "left out" not in capsys.readouterr().out


def test_one_average_where_english_is_not_scored(capsys):
    print_results([results("D_1", {"de": 1.0, "zh": 2.0})])
    assert cells(capsys.readouterr().out)[0] == ["system", "de", "zh", "avg"]


def test_notes_on_scores_are_printed(capsys):
    run = results("D_1", {"de": 0.0, "zh": 0.0, "en": 50.0})
    for language in ("de", "zh"):
        run["languages"][language]["note"] = "no entity in gold"
    print_results([run])
    assert "Note on de, zh: no entity in gold." in capsys.readouterr().out


def test_notes_on_scores_of_files_are_printed(capsys):
    entry = {"score": 0.0, "accuracy": 100.0, "examples": 2, "split": "test"}
    print_task_scores(
        "ner",
        {
            "languages": {"de": {**entry, "note": "no entity in gold"}},
            "averages": {"all": 0.0},
            "missing_languages": [],
        },
    )
    assert "Note on de: no entity in gold." in capsys.readouterr().out


def test_many_languages_are_not_cut_off(capsys):
    names = [f"{a}{b}" for a in "abcde" for b in "abcdefgh"]
    print_results([results("baseline", dict.fromkeys(names, 99.9))])
    rows = cells(capsys.readouterr().out)
    assert rows[0] == ["system", *names, "avg"]
    assert rows[1] == ["baseline"] + ["99.9"] * 41
