"""Runs to tables and notes."""

import pytest

from dlfa_tf.analysis.analysis import analyze
from dlfa_tf.analysis.layer_choice import layer_table
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.data.tasks import get_task
from dlfa_tf.scoring.prediction_files import write_predictions
from dlfa_tf.scoring.score import score_labels


def analyze_lab(lab, with_data=True, **arguments):
    data_dir = str(lab.data) if with_data else None
    return analyze(load_runs(lab.runs), data_dir, num_samples=100, **arguments)


def test_a_setting_of_all_runs_leaves_the_baseline_its_name(lab):
    for system in ("baseline", "D_1"):
        lab.run("pos", system, sentence_pooling="mean")
    found = analyze_lab(lab)
    assert set(found.summary["label"]) == {"baseline", "D_1"}
    assert found.summary["gain"].notna().any()
    note = (
        "pos: all systems, the baseline too, have preset=tiny, "
        "sentence_pooling=mean, where their name does not say otherwise."
    )
    assert note in found.notes


def test_an_adapted_encoder_stands_beside_the_one_it_was_made_of(lab):
    for seed in (1, 2):
        adapted = lab.run("pos", "baseline", seed, preset="presets/adapted")
        adapted.rename(lab.runs / f"adapted-{seed}")
        lab.run("pos", "baseline", seed)
    found = analyze_lab(lab)
    assert set(found.summary["label"]) == {
        "baseline",
        "baseline preset=adapted",
    }
    assert found.summary["gain"].notna().any()


def test_tables_of_all_tasks_and_notes(lab):
    for seed in (1, 2):
        for system in ("baseline", "D_1"):
            lab.run("pawsx", system, seed)
    lab.run("pos", "D_1")
    (lab.run("pos", "D_2") / "results.json").unlink()
    found = analyze_lab(lab)
    assert [table.name for table in found.tables] == [
        "table_1",
        "table_2",
        "table_4_pawsx",
        "table_4_pos",
    ]
    notes = "\n".join(found.notes)
    assert "D_2/seed-1: unfinished" in notes
    assert "pos: one seed only, so no spread over seeds: D_1." in notes
    assert "pos: no baseline among the runs" in notes
    assert "pawsx: averages are over 3 languages, the published" in notes
    assert "not in ours: es, fr, ja, ko." in notes
    assert "pawsx: one seed" not in notes
    assert "revisions" not in notes and "intervals" not in notes
    text = found.tables[0].text
    assert "[" in text.loc["D_1", "PAWSX gain"]


def test_gains_by_script_and_family(lab):
    languages = ("de", "en", "es", "fr", "ja", "zh")
    for system, errors in (("baseline", 0.4), ("D_1", 0.1)):
        lab.run("pawsx", system, errors=errors, languages=languages)
    found = analyze_lab(lab)
    table = {table.name: table for table in found.tables}["groups_pawsx"]
    assert list(table.text.index) == [
        "Latin script (3)",
        "other scripts (2)",
        "Romance (2)",
    ]
    scores = dict(zip(languages, found.scores["pawsx"].scores[1], strict=True))
    assert table.values.loc["Romance (2)", "D_1 mean"] == pytest.approx(
        (scores["es"] + scores["fr"]) / 2
    )
    gains = table.values["D_1 gain"]
    assert (gains > 10).all()
    assert (table.values["D_1 low"] < gains).all()


def test_notes_on_what_is_uneven(lab):
    lab.run("pos", "baseline", 1)
    lab.run("pos", "baseline", 2)
    folder = lab.run("pos", "D_1", languages=("de", "en"))
    lab.change(
        folder,
        lambda r: r["environment"].update(git_revision="def", backend="jax"),
    )
    notes = "\n".join(analyze_lab(lab, with_data=False).notes)
    assert "language zh is left out of everything, because 1 of 3 runs" in notes
    assert "numbers of seeds differ: baseline 2, D_1 1." in notes
    assert (
        "different revisions of the code: abc (2 runs), def (1 runs)" in notes
    )
    assert "from one seed: None (2 runs), jax (1 runs)." in notes
    assert (
        "pos: no intervals and no analysis of errors, because they need gold "
        "labels (`--data_dir`)." in notes
    )


@pytest.mark.parametrize(
    ("labels", "said"), [("000", True), ("010", False)], ids=["all", "some"]
)
def test_run_that_learnt_nothing_is_named(lab, labels, said):
    lab.run("pawsx", "baseline")
    folder = lab.run("pawsx", "D_1")
    task = get_task("pawsx")
    for language, label in zip(("de", "en", "zh"), labels, strict=True):
        gold = lab.gold("pawsx", language)
        predicted = [label] * len(gold)
        write_predictions(folder, "test", language, predicted)
        scores = score_labels(task, gold, predicted)
        lab.change(
            folder,
            lambda r, x=language, s=scores: r["languages"][x].update(s),
        )
    notes = "\n".join(analyze_lab(lab).notes)
    note = f"pawsx: {folder} says '0' of everything, in every language."
    assert (note in notes) == said
    assert notes.count("learnt nothing") == said


def test_scores_of_dev_files_are_named(lab):
    folder = lab.run("pos", "baseline")
    lab.change(folder, lambda r: r["languages"]["zh"].update(split="dev"))
    notes = "\n".join(analyze_lab(lab, with_data=False).notes)
    assert "pos: scored on dev, not on test: zh." in notes


def test_runs_without_predictions_have_no_intervals(lab):
    folder = lab.run("pos", "baseline")
    lab.run("pos", "D_1")
    (folder / "predictions").rename(folder / "elsewhere")
    found = analyze_lab(lab)
    missing = f"predictions/, which 1 of 2 runs lack ({folder})"
    assert found.no_items == {"pos": missing}
    assert found.summary["low"].isna().all()
    assert any("no intervals" in note and missing in note
               for note in found.notes)  # fmt: skip
    assert "--data_dir" not in " ".join(found.notes)
    # Models can be read all the same.
    assert found.sources["pos"].data_dir == str(lab.data)


def test_one_gate_is_said_below_every_table(lab):
    languages = ("de", "en", "es", "fr", "ja", "zh")
    for system in ("baseline", "D_1"):
        lab.run("pawsx", system, gate="attention", languages=languages)
    found = analyze_lab(lab, with_data=False)
    assert set(found.summary["label"]) == {"baseline", "D_1"}
    assert len(found.tables) == 4
    for table in (*found.tables, layer_table(found.scores)):
        assert "Gate of every D_x: attention." in table.notes


def test_gates_that_differ_between_tasks_share_no_row(lab):
    for task, gate in (("pos", "attention"), ("ner", "feature")):
        lab.run(task, "baseline")
        lab.run(task, "D_1", gate=gate)
    table = analyze_lab(lab, with_data=False).tables[0]
    assert table.text["POS ours"].eq("no run").to_dict() == {
        "baseline": False,
        "D_1 (attention)": False,
        "D_1 (feature)": True,
    }
    assert not any("Gate" in note for note in table.notes)


def test_wrong_data_dir_is_named(lab, tmp_path):
    lab.run("pos", "baseline")
    with pytest.raises(
        FileNotFoundError, match="`data_dir` is no folder.*nowher"
    ):
        analyze(load_runs(lab.runs), str(tmp_path / "nowhere"))


def test_public_names_are_found():
    import dlfa_tf

    for name in dlfa_tf.analysis.__all__:
        assert callable(getattr(dlfa_tf.analysis, name))
    assert dir(dlfa_tf.analysis) == sorted(dlfa_tf.analysis.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dlfa_tf.analysis.nothing
