"""Readers by format: rows of named columns, sentences of words and tags.

reading: `read_rows` and `read_sentences`, whatever the format.
text_lines: lines of plain and compressed files and of members of zip files.
tables: TSV, CSV, JSON lines.
parquet: Parquet, by pyarrow.
columns: a word per line, in columns (CoNLL).
conllu: CoNLL-U, words of its own or joined as in the benchmark.
"""

from dlfa_tf import first_use

_PUBLIC = {
    "KINDS": "reading",
    "Row": "tables",
    "Sentence": "columns",
    "column_names": "reading",
    "kind_of": "reading",
    "read_rows": "reading",
    "read_sentences": "reading",
}

__all__ = [*_PUBLIC]

__getattr__, __dir__ = first_use.public_names(__name__, _PUBLIC)
