"""Tables of an analysis.

score_table: a row per run, a column per language.
paper_tables: the paper's Tables 1, 2 and 4, and groups.
published_comparison: own runs against the paper's figures.
similarity_table: the paper's Table 3.
cells: means, gains and intervals as texts.
table_files: `PaperTable`, and its Markdown, CSV, LaTeX and HTML.
"""
