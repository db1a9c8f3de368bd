"""Files of many lines, labelled by an export.

lines: lines of text to examples, answers to lines.
word_lines: a word per line, the benchmark's own form.
on_beam: files too large for one machine, on Apache Beam.
bulk_output: what that finds and leaves in its output folder.
"""

from dlfa_tf import first_use

# Imported on first use: Apache Beam is optional.
_PUBLIC = {"label_files": "on_beam"}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = first_use.public_names(__name__, _PUBLIC)
