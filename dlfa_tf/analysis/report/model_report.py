"""Parts of the report that need models: Table 3, gates, sentence vectors."""

import itertools
import pathlib
from collections.abc import Mapping

from dlfa_tf import files
from dlfa_tf.analysis import alignment
from dlfa_tf.analysis import similarity
from dlfa_tf.analysis.analysis import Analysis
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.analysis.figures import model_figures
from dlfa_tf.analysis.readings import Readings
from dlfa_tf.analysis.report import error_report
from dlfa_tf.analysis.report import report_page
from dlfa_tf.analysis.report.report_page import Picture
from dlfa_tf.analysis.report.report_page import Section
from dlfa_tf.analysis.tables import similarity_table
from dlfa_tf.analysis.tables import table_files
from dlfa_tf.data.sources import Source


def model_section(
    analysis: Analysis, output_dir: pathlib.Path, items: int
) -> Section:
    """Reads the models of all runs and writes tables and pictures.

    `items` examples per language go through each model. FileNotFoundError when
    no run has a model, or without data; says which.
    """
    figures = output_dir / "figures"
    frames, gains, pictures, said = {}, {}, [], []
    num_read = 0
    for task, scores in analysis.scores.items():
        source = analysis.sources[task]
        readings = (
            {}
            if source is None
            else similarity.read_runs(scores, source, items)
        )
        num_read += len(readings)
        said += _not_read(scores, source, readings)
        frame = similarity.similarity_frame(scores, readings)
        frames[task] = frame
        gains[task] = alignment.cosine_gains(scores.labels, readings)
        if not frame.empty:
            files.write_text(
                output_dir / "models" / f"{task}_similarity.csv",
                frame.to_csv(index=False),
            )
            path = model_figures.similarity_by_layer(
                scores,
                analysis.summary,
                frame,
                figures / f"similarity_{task}.png",
            )
            caption = (
                f"{task.upper()}: similarity of translations, how many of them "
                "are found among others, and score, against the fused block x."
            )
            pictures.append(Picture(path=path, caption=caption))
        label = error_report.preferred(scores)
        if label is not None:
            drawn = model_figures.projection(
                scores, readings, label, figures / f"vectors_{task}.png"
            )
            if drawn is not None:
                caption = (
                    f"{task.upper()}: what the head reads of parallel test "
                    f"items, by language, baseline and {label}."
                )
                pictures.append(Picture(path=drawn, caption=caption))
        gates = similarity.gate_frame(scores, readings)
        if not gates.empty:
            files.write_text(
                output_dir / "models" / f"{task}_gates.csv",
                gates.to_csv(index=False),
            )
            path = model_figures.gate_map(
                scores, gates, figures / f"gates_{task}.png"
            )
            caption = (
                f"{task.upper()}: how much of the fused output comes from "
                "block x: size of its part in both parts, by language and "
                "position."
            )
            pictures.append(Picture(path=path, caption=caption))
    if not num_read:
        raise FileNotFoundError(
            f"No run can be read. Received: {' '.join(said[:3])} Accepted: "
            "runs with their model/, and their data (`--data_dir`)."
        )
    runs = itertools.chain.from_iterable(
        scores.runs for scores in analysis.scores.values()
    )
    table = similarity_table.table_3(frames, gains, (run.gate for run in runs))
    if table is not None:
        table_files.write_table(table, output_dir / "tables")
    return Section(
        title="Inside the models",
        parts=[
            report_page.notes(said),
            table_files.to_html(table) if table is not None else "",
            *(report_page.figure(picture) for picture in pictures),
        ],
    )


def _not_read(
    scores: TaskScores, source: Source | None, readings: Mapping[int, Readings]
) -> list[str]:
    """Says which models were not read, and why."""
    if source is None:
        return [f"{scores.task}: no data (`--data_dir`), no model is read."]
    return [
        f"No model/ in {run.folder}."
        for row, run in enumerate(scores.runs)
        if row not in readings
    ]
