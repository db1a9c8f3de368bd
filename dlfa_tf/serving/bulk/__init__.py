"""Files of many lines, labelled by an export.

lines: lines of text to examples, answers to lines.
word_lines: a word per line, the benchmark's own form.
on_beam: files too large for one machine, on Apache Beam.
bulk_output: what that finds and leaves in its output folder.
"""

import importlib
from typing import Any

# Imported on first use: Apache Beam is optional.
_PUBLIC = {"label_files": "dlfa_tf.serving.bulk.on_beam"}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
