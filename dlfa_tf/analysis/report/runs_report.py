"""An analysis as files: tables, pictures, and one HTML report of them all."""

import json
import pathlib
import shlex
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dlfa_tf import files
from dlfa_tf.analysis import layer_choice
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.analysis import Analysis
from dlfa_tf.analysis.figures import layer_figures
from dlfa_tf.analysis.report import report_page
from dlfa_tf.analysis.report.report_page import Picture
from dlfa_tf.analysis.report.report_page import Section
from dlfa_tf.analysis.tables import table_files
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.runs import names
from dlfa_tf.runs import variants
from dlfa_tf.runs.settings import SETTINGS

REPORT = "report.html"
# Settings whose None is 0 as a flag; without the flag a recipe decides.
_ZERO_FOR_NONE = frozenset(k for k, x in SETTINGS.items() if x.zero_is_none)


def write_report(
    analysis: Analysis,
    output_dir: pathlib.Path,
    *,
    extra: Sequence[Section] = (),
    command: str = "",
) -> pathlib.Path:
    """Writes `tables/`, `figures/` and `report.html`; returns the page's path.

    `extra` sections stand before the last, which tells the `command` that
    makes the report.
    """
    figures = output_dir / "figures"
    choice = layer_choice.layer_table(analysis.scores)
    by_name = {table.name: table for table in analysis.tables}
    for table in (*analysis.tables, *([choice] if choice else [])):
        table_files.write_table(table, output_dir / "tables")
    curve = Picture(
        path=layer_figures.score_by_layer(
            analysis.scores, analysis.summary, figures / "score_by_layer.png"
        ),
        caption="Mean score over languages of every system against the block "
        "x that it fuses with the last one; the baseline is the dashed line.",
    )
    sections = [
        Section(
            title="Systems and tasks",
            parts=[
                report_page.notes(analysis.notes),
                table_files.to_html(by_name.pop("table_1")),
                report_page.figure(curve),
            ],
        ),
        Section(
            title="Choice of the block",
            parts=[table_files.to_html(choice)] if choice else [],
        ),
        _section("English and German against the others", by_name, "table_2"),
        _section("Published figures", by_name, "published_comparison"),
    ]
    for task, scores in analysis.scores.items():
        parts = [table_files.to_html(by_name[f"table_4_{task}"])]
        path = layer_figures.gain_map(
            scores, analysis.summary, figures / f"gains_{task}.png"
        )
        if path is not None:
            caption = (
                f"Gain over the baseline on {task.upper()} by language and "
                "system, languages by family, English's own first."
            )
            parts.append(
                report_page.figure(Picture(path=path, caption=caption))
            )
        if groups := by_name.get(f"groups_{task}"):
            parts.append(table_files.to_html(groups))
        sections.append(
            Section(title=f"{task.upper()} by language", parts=parts)
        )
    sections += [*extra, _repeat(analysis, command)]
    text = report_page.page(
        "Layer fusion for zero-shot transfer: results", sections
    )
    path = output_dir / REPORT
    files.write_text(path, text)
    return path


def _section(title: str, tables: dict[str, PaperTable], name: str) -> Section:
    table = tables.get(name)
    return Section(
        title=title, parts=[table_files.to_html(table)] if table else []
    )


def _repeat(analysis: Analysis, command: str) -> Section:
    """Commands, versions, hardware and data behind the report."""
    runs = run_index.run_frame(analysis.index)
    shown = pd.DataFrame(
        {
            "run": runs["task"] + " " + runs["label"],
            "seed": runs["seed"].astype(str),
            "dev": _rounded(runs["dev_score"]),
            "best step": _rounded(runs["best_step"], 0),
            "steps": _rounded(runs["total_steps"], 0),
            "training (s)": _rounded(runs["train_seconds"], 0),
            "peak memory (GiB)": _rounded(runs["peak_memory_gib"], 1),
        }
    ).set_index("run")
    table = PaperTable(
        name="runs",
        title="Runs; times depend on what else the machine did",
        values=runs,
        text=shown,
    )
    commands = "\n".join(
        train_command(run.results) for run in analysis.index.runs
    )
    environments: dict[str, list[str]] = {}
    for run in analysis.index.runs:
        key = _as_json(run.results.get("environment", {}))
        environments.setdefault(key, []).append(run.folder.name)
    parts = [
        table_files.to_html(table),
        report_page.paragraph(
            "Data: "
            + "; ".join(_data(analysis, task) for task in analysis.scores)
            + "."
        ),
        report_page.folded(
            "Commands of the runs (DIR: your copy of the data; BUNDLE: the "
            "file that the run was made on, see trainers.prepare --bundle)",
            commands,
        ),
        *(
            report_page.folded(
                f"Versions and hardware of {len(folders)} runs", text
            )
            for text, folders in environments.items()
        ),
        _settings(analysis),
    ]
    if command:
        parts.append(report_page.folded("Command of this report", command))
    return Section(title="How to repeat this", parts=parts)


def train_command(results: dict[str, Any]) -> str:
    """The command of trainers.train that makes a run, up to its folders.

    Runs that may stand in one table get folders of their own. It has every
    setting that the results have, so that the same config comes of it whatever
    the recipe's values are by then.
    """
    flags = []
    config = results["config"]
    for name, value in config.items():
        if name == "definition":
            continue
        if name == "task" and config.get("definition"):
            value = f"{value}.toml"
        if value is None and name in _ZERO_FOR_NONE:
            value = 0
        elif value is None:
            continue
        if isinstance(value, list):
            value = ",".join(map(str, value))
        flags.append(shlex.quote(f"--{name}={value}"))
    if results.get("bundle"):
        flags.append("--bundle=BUNDLE")
    elif results["config"]["data_source"] != "sample":
        flags.append("--data_dir=DIR")
    system = names.system_folder(
        results["system"], results.get("gate"), variants.variant_name(config)
    )
    folder = f"runs/{config['task']}/{system}/seed-{config['seed']}"
    return " ".join(
        ["python -m trainers.train", *flags, f"--output_dir={folder}"]
    )


def _data(analysis: Analysis, task: str) -> str:
    results = analysis.scores[task].runs[0].results
    count = sum(
        results["languages"][language].get("examples", 0)
        for language in analysis.scores[task].languages
    )
    return (
        f"{task} from data source '{results['config']['data_source']}', "
        f"{results.get('train_examples', 'unknown')} training examples in "
        f"{names.in_words(names.sources_of(results['config']))}, "
        f"{count} scored examples in "
        f"{len(analysis.scores[task].languages)} languages"
    )


def _settings(analysis: Analysis) -> str:
    """Settings of the first run with a gate, else of the first one."""
    runs = analysis.index.runs
    run = next((run for run in runs if run.gate is not None), runs[0])
    return report_page.folded(
        f"Settings of {run.task} {run.system}, seed {run.seed}",
        _as_json(run.results["config"]),
    )


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True)


def _rounded(values: pd.Series, digits: int = 2) -> list[str]:
    return ["" if pd.isna(x) else f"{float(x):.{digits}f}" for x in values]
