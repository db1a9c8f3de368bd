"""What finished runs say: scores, gains, tables, pictures, a report.

run_index: all runs below a folder; frames of their scores.
comparable: which runs may stand in one table.
compare: systems against their baseline, over seeds.
label_counts: labels and predictions of runs, and counts of them.
errors: confusions, types, lengths, what is fixed and broken.
changes: the words and pairs that a system fixes or breaks.
layer_choice: which block to fuse, as dev says.
readings: sentence vectors and gates, which only a model can say.
similarity: readings as frames.
alignment: how near a text and its translation come.
published: the paper's own figures.
analysis: all of that but the models, for a folder of runs.
tables, figures, report: how it is shown.
"""

from dlfa_tf import first_use

# Imported on first use: they need pandas.
_PUBLIC = {
    "analyze": "analysis",
    "collect_scores": "compare",
    "load_runs": "run_index",
    "published_scores": "published",
    "run_frame": "run_index",
    "score_frame": "run_index",
    "summarize": "compare",
    "table_1": "tables.paper_tables",
    "table_2": "tables.paper_tables",
    "table_4": "tables.paper_tables",
    "to_latex": "tables.table_files",
    "to_markdown": "tables.table_files",
}

__all__ = [*_PUBLIC]

__getattr__, __dir__ = first_use.public_names(__name__, _PUBLIC)
