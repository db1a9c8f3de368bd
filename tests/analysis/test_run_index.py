"""Finding and reading runs."""

import pytest

from dlfa_tf.analysis.run_index import labels_of_runs
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.analysis.run_index import run_frame
from dlfa_tf.analysis.run_index import score_frame


def test_runs_are_found_at_any_depth_and_ordered(lab):
    lab.run("pos", "D_10", seed=1)
    lab.run("pos", "D_9", seed=2)
    folder = lab.run("pos", "D_9", seed=1)
    lab.run("pos", "baseline")
    lab.run("pawsx", "D_9")
    # A preset inside a run has a config.json of its own.
    lab.write(folder / "model" / "inner", {})
    index = load_runs(lab.runs)
    assert [run.cell for run in index.runs] == [
        ("pawsx", "D_9", "feature", 1),
        ("pos", "baseline", None, 1),
        ("pos", "D_9", "feature", 1),
        ("pos", "D_9", "feature", 2),
        ("pos", "D_10", "feature", 1),
    ]
    assert index.left_out == ()
    assert index.tasks == ("pawsx", "pos")
    assert [run.layer for run in index.of_task("pos")] == [None, 9, 9, 10]


def test_links_to_runs_are_followed_once(lab, tmp_path):
    lab.run("pos", "baseline")
    elsewhere = lab.run("pos", "D_1").rename(tmp_path / "elsewhere")
    for name, target in (("D_1", elsewhere), ("same", elsewhere),
                         ("up", lab.runs)):  # fmt: skip
        (lab.runs / name).symlink_to(target)
    index = load_runs(lab.runs)
    assert [run.system for run in index.runs] == ["baseline", "D_1"]
    assert index.runs[1].folder == lab.runs / "D_1"


def test_what_is_no_finished_run_is_listed_with_the_reason(lab):
    lab.run("pos", "baseline")
    unfinished = lab.run("pos", "D_1")
    (unfinished / "results.json").unlink()
    damaged = lab.run("pos", "D_2")
    (damaged / "results.json").write_text('{"schema"')
    lab.change(lab.run("pos", "D_3"), lambda r: r.update(schema=2))
    lab.change(lab.run("pos", "D_4"), lambda r: r["config"].pop("seed"))
    lab.change(lab.run("pos", "D_5"), lambda r: r.pop("gate"))
    lab.change(lab.run("pos", "D_6"), lambda r: r.update(languages={}))
    index = load_runs(lab.runs)
    assert [run.system for run in index.runs] == ["baseline"]
    reasons = {path.parent.name: why for path, why in index.left_out}
    for system, words in {
        "D_1": "unfinished",
        "D_2": "is no JSON that can be read",
        "D_3": "Received: 2. Accepted: 1",
        "D_4": "evaluation of a saved model",
        "D_5": "no ['gate']",
        "D_6": "no language",
    }.items():
        assert words in reasons[system]


def test_folder_without_finished_runs_is_refused(lab, tmp_path):
    with pytest.raises(FileNotFoundError, match="no run folder at all"):
        load_runs(lab.runs)
    with pytest.raises(FileNotFoundError, match="`runs_dir` is no folder"):
        load_runs(tmp_path / "none")
    (lab.run("pos", "D_1") / "results.json").unlink()
    with pytest.raises(FileNotFoundError, match="D_1.seed-1: unfinished"):
        load_runs(lab.runs)


def test_one_cell_twice_is_refused(lab):
    folder = lab.run("pos", "D_1")
    folder.rename(folder.with_name("copy"))
    lab.run("pos", "D_1")
    with pytest.raises(ValueError, match="same task, system.*copy.*seed-1"):
        load_runs(lab.runs)


def test_gates_are_named_only_where_they_differ(lab):
    lab.run("pos", "baseline")
    lab.run("pos", "D_1")
    assert labels_of_runs(load_runs(lab.runs).runs) == ["baseline", "D_1"]
    lab.run("pos", "D_1", gate="attention")
    assert labels_of_runs(load_runs(lab.runs).runs) == [
        "baseline",
        "D_1 (attention)",
        "D_1 (feature)",
    ]


def test_layers_called_alike_are_not_averaged(lab):
    for seed, module in ((1, "a"), (2, "b")):
        folder = lab.run("pos", "D_9", seed)
        lab.change(
            folder,
            lambda r, module=module: (
                r.update(system="Sum_9", gate=None),
                r["config"].update(fusion=f"{module}:Sum"),
            ),
        )
    with pytest.raises(ValueError, match="Sum_9 fuse differently.*a:Sum.*b:S"):
        load_runs(lab.runs)


def test_variants_and_other_fusions_are_systems_of_their_own(lab):
    lab.run("pos", "baseline")
    lab.run("pos", "D_9")
    folder = lab.run("pos", "D_8")
    lab.change(
        folder,
        lambda r: r["config"].update(fusion_layer=8, branches="local"),
    )
    folder = lab.run("pos", "D_7")
    lab.change(folder, lambda r: r.update(system="scalar_mix", gate=None))
    runs = load_runs(lab.runs).runs
    assert [(run.system, run.layer) for run in runs] == [
        ("baseline", None),
        ("D_9", 9),
        ("D_8 branches=local", None),
        ("scalar_mix", None),
    ]


def test_select_keeps_the_baseline_and_refuses_what_is_not_there(lab):
    for system in ("baseline", "D_1", "D_2"):
        lab.run("pos", system)
        lab.run("pawsx", system)
    index = load_runs(lab.runs).select(["pos"], ["D_2"])
    assert [run.cell[:2] for run in index.runs] == [
        ("pos", "baseline"),
        ("pos", "D_2"),
    ]
    with pytest.raises(ValueError, match="`tasks` without.*'ner'.*pawsx"):
        load_runs(lab.runs).select(["ner"])
    with pytest.raises(ValueError, match="`systems` without.*'D_7'"):
        load_runs(lab.runs).select(systems=["D_7"])


def test_frames_are_tidy(lab):
    lab.run("pos", "baseline", languages=("de", "en"), dev_score=91.5)
    lab.run("pawsx", "D_1", languages=("de",), seed=4)
    index = load_runs(lab.runs)
    scores = score_frame(index)
    assert len(scores) == 3
    row = scores[scores["task"] == "pawsx"].iloc[0]
    run = index.of_task("pawsx")[0]
    assert row["score"] == run.results["languages"]["de"]["score"]
    assert row["label"] == "D_1" and row["layer"] == 1 and row["seed"] == 4
    assert row["language"] == "de" and row["split"] == "test"
    runs = run_frame(index)
    assert runs["dev_score"].tolist() == [90.0, 91.5]
    assert runs["peak_memory_gib"].tolist() == [1.0, 1.0]
