"""Intervals in the documents against the committed predictions."""

import re
import shutil
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from dlfa_tf.analysis.analysis import analyze
from dlfa_tf.analysis.run_index import load_runs
from tests.test_results import ROOT
from tests.test_results import SECTIONS
from tests.test_results import rows_of
from tests.test_results import section

RESULTS = ROOT / "docs" / "results"
WITH_PREDICTIONS = [
    row for row in SECTIONS if any((RESULTS / row[2]).glob("*.tar.xz"))
]


def unpack(folder: Path, to: Path) -> Path:
    """The scores of a folder with the predictions beside them."""
    shutil.copytree(folder, to)
    for archive in sorted(to.glob("*.tar.xz")):
        with tarfile.open(archive) as packed:
            packed.extractall(to, filter="data")
    return to


def data_of(section_folder: str, data_dir: Path, to: Path) -> Path:
    """The benchmark's files as the runs of a section have read them."""
    if section_folder != "pawsx_second":
        return data_dir
    shutil.copytree(data_dir / "pawsx", to / "pawsx", copy_function=shutil.copy)
    for path in (to / "pawsx").glob("test-*.tsv"):
        lines = path.read_text("utf-8").splitlines(keepends=True)
        path.chmod(0o644)
        path.write_text("".join(lines[1000:]), "utf-8")
    return to


def gains_of(summary: pd.DataFrame, part: str) -> dict[str, str]:
    """Gain and interval of every system but the baseline, as they are told."""
    rows = summary[(summary["part"] == part) & summary["gain"].notna()]
    return {
        row.label: f"{row.gain:+.2f} [{row.low:+.2f}, {row.high:+.2f}]"
        for row in rows.itertuples()
    }


@pytest.mark.programs
@pytest.mark.parametrize(
    ("document", "heading", "folder", "columns"), WITH_PREDICTIONS
)
def test_intervals_are_those_of_the_committed_predictions(
    document, heading, folder, columns, shared_data_dir, tmp_path
):
    runs = unpack(RESULTS / folder, tmp_path / "runs")
    data_dir = data_of(folder, Path(shared_data_dir), tmp_path / "data")
    analysis = analyze(load_runs(runs), str(data_dir))
    text = section((ROOT / "docs" / document).read_text("utf-8"), heading)
    rows = rows_of(text)
    expected = gains_of(analysis.summary, columns[0])
    assert expected
    found = {
        label: re.findall(r"[+-]\d+\.\d\d \[[^]]*\]", rows[label])
        for label in expected
    }
    assert found == {label: [gain] for label, gain in expected.items()}
