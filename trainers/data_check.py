"""Says what is wrong with the data of a task, without training."""

import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from trainers import common_flags


def check_data(
    source: Any,
    languages: Sequence[str] | None,
    preset: str | None,
    sequence_length: int,
    report_dir: str | None,
) -> None:
    """Looks at the data of a source and prints what it found.

    `languages` are those to look at; None is all. With a `preset` also at the
    pieces of its tokenizer. `report_dir` gets the same as a page with plots.
    Exits with 1 where scores would be wrong.
    """
    # Not at the top: a wrong flag should not wait for these.
    from dlfa_tf.analysis.report import data_report
    from dlfa_tf.data import doctor
    from trainers import result_table

    count = None
    if preset is not None:
        from dlfa_tf.data import doctor_pieces
        from dlfa_tf.models import presets

        tokenizer = presets.load_tokenizer(preset)
        count = doctor_pieces.piece_counter(tokenizer, sequence_length)
    found = doctor.check_data(source, count, languages)
    if found.files:
        result_table.print_paper_table(data_report.file_table(found))
    console = Console(highlight=False, soft_wrap=True)
    for finding in found.findings:
        name = "Wrong" if finding.is_wrong else "Look"
        console.print(Text(f"{name} ({finding.what}): {finding.text}"))
    common_flags.say(data_report.summary(found))
    if report_dir is not None:
        path = data_report.write_data_report(found, pathlib.Path(report_dir))
        common_flags.say(f"Written: {path}")
    if found.is_wrong:
        sys.exit(1)
