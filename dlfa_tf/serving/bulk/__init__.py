"""Files of many lines, labelled by an export.

lines: lines of text to examples, answers to lines.
word_lines: a word per line, the benchmark's own form.
labelling: files of any size, part by part, here or on a cluster.
parts: what the files are cut into.
part_labeller: labels a part and writes it.
output_folder: what a run finds and leaves in its folder.
on_dask: the workers of a cluster.
"""

from dlfa_tf import first_use

# Imported on first use: `lines` needs none of it.
_PUBLIC = {"label_files": "labelling"}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = first_use.public_names(__name__, _PUBLIC)
