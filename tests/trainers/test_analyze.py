"""The program that turns runs into tables, as a user calls it."""

import html
import json

import pytest

from trainers import analyze

RESULTS = "docs/results/first_pos_run"


@pytest.mark.programs
def test_committed_results_become_tables(start, tmp_path):
    output = tmp_path / "my tables"
    (tmp_path / "udpos_fused").mkdir()
    done = start(
        "analyze",
        f"--runs_dir={RESULTS}",
        f"--output_dir={output}",
        f"--data_dir={tmp_path}",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "they need predictions/, which 2 of 2 runs lack" in done.stdout
    assert "2 finished runs" in done.stdout
    assert "one seed only" in done.stdout
    table = (output / "tables" / "table_4_pos.md").read_text()
    assert "| zh | 62.86 (1) | **64.51 (1)** | +1.65 |" in table
    report = html.unescape((output / "report.html").read_text())
    # Quoted, so that a shell takes it as it was given.
    assert f"'--output_dir={output}'" in report


@pytest.mark.programs
def test_nothing_of_it_needs_a_model(start, tmp_path):
    done = start(
        "analyze",
        f"--runs_dir={RESULTS}",
        f"--output_dir={tmp_path}/out",
        imports=True,
    )
    assert done.returncode == 0
    assert "tensorflow" not in done.stderr and "keras" not in done.stderr


def test_runs_of_the_sample_get_intervals(pos_run, call, tmp_path, capsys):
    call(
        analyze,
        f"--runs_dir={pos_run.parent}",
        f"--output_dir={tmp_path}/out",
        "--num_samples=100",
    )
    assert "no baseline among the runs" in capsys.readouterr().out
    results = json.loads((pos_run / "results.json").read_text())
    table = (tmp_path / "out" / "tables" / "table_4_pos.csv").read_text()
    assert f"{results['languages']['de']['score']}" in table
    report = (tmp_path / "out" / "report.html").read_text()
    assert "POS: errors" in report and "Inside the models" not in report
    assert "python -m trainers.analyze --num_samples=100" in report


def test_published_figures_beside_own(call, tmp_path, capsys):
    call(
        analyze,
        "--runs_dir=docs/results/pos_2000",
        f"--output_dir={tmp_path}/out",
        "--compare_published",
    )
    printed = capsys.readouterr().out
    assert "Own runs and the published figures" in printed
    table = (tmp_path / "out/tables/published_comparison.md").read_text()
    (line,) = [x for x in table.splitlines() if x.startswith("| pos D_9 avg ")]
    cells = [x.strip() for x in line.strip("|").split("|")]
    # Table 1: POS, D_9. Another encoder than the paper's, so far off.
    assert cells[3:5] == ["2", "71.58"] and cells[-1] == "no"
    assert float(cells[1]) - 71.58 == pytest.approx(float(cells[5]), abs=0.011)
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Own runs and the published figures" in report


def test_models_are_read_on_demand(pos_run, call, tmp_path, eager):
    call(
        analyze,
        f"--runs_dir={pos_run.parent}",
        f"--output_dir={tmp_path}/out",
        "--num_samples=100",
        "--noerrors",
        "--model_items=2",
    )
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Inside the models" in report and "POS: errors" not in report
    gates = (tmp_path / "out" / "models" / "pos_gates.csv").read_text()
    assert gates.startswith("task,label,layer,seed,language,position,share")
    assert len(list((pos_run / "analysis").iterdir())) == 1


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--output_dir=x"], 2, "--runs_dir"),
        (["--runs_dir=x"], 2, "--output_dir"),
        (["--runs_dir=docs", "--output_dir=docs"], 1, "never overwritten"),
        (["--runs_dir=nowhere", "--output_dir=x"], 1, "'nowhere'"),
        (["--runs_dir=tools", "--output_dir=x"], 1, "no finished run"),
        (
            [f"--runs_dir={RESULTS}", "--output_dir=x", "--tasks=ner"],
            1,
            "`tasks` without a finished run",
        ),
        (
            [f"--runs_dir={RESULTS}", "--output_dir=x", "--num_samples=1"],
            2,
            "num_samples",
        ),
    ],
    ids=["runs", "output", "full", "nowhere", "empty", "task", "samples"],
)
def test_wrong_use_is_refused(start_wrong, flags, code, message):
    assert message in start_wrong("analyze", *flags, code=code)
