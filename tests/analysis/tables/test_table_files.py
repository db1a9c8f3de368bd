"""Tables as Markdown, CSV, LaTeX and HTML."""

import io
import xml.etree.ElementTree as ET

import pandas as pd

from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.analysis.tables.table_files import to_html
from dlfa_tf.analysis.tables.table_files import to_latex
from dlfa_tf.analysis.tables.table_files import to_markdown
from dlfa_tf.analysis.tables.table_files import write_table

INDEX = pd.Index(["baseline", "D_9"], name="system")
TABLE = PaperTable(
    name="table_1",
    title="Scores & gains",
    values=pd.DataFrame({"mean": [1.25, 2.5]}, index=INDEX),
    text=pd.DataFrame(
        {"a <ours>": ["1.25 ± 0.10 (2)", "2.50 (1)"], "gain": ["", "[+1] 5 %"]},
        index=INDEX,
    ),
    best=pd.DataFrame(
        {"a <ours>": [False, True], "gain": [False, False]}, index=INDEX
    ),
    notes=("One note.", "a|b"),
)


def test_markdown():
    assert to_markdown(TABLE) == (
        "**Scores & gains**\n\n"
        "| system | a <ours> | gain |\n|---|---:|---:|\n"
        "| baseline | 1.25 ± 0.10 (2) |   |\n"
        "| D_9 | **2.50 (1)** | [+1] 5 % |\n"
        "\nOne note.\n\na|b\n"
    )


def test_latex_escapes_what_latex_reads():
    text = to_latex(TABLE)
    assert r"\caption{Scores \& gains. One note. a|b}" in text
    assert r"baseline & 1.25 $\pm$ 0.10 (2) &  \\" in text
    # A bracket after \\ would be an argument of it; so it is kept apart.
    assert r"D\_9 & \textbf{2.50 (1)} & {}[+1] 5 \% \\" in text
    assert text.count("{") == text.count("}")


def test_html_is_well_formed_and_accessible():
    root = ET.fromstring(f"<body>{to_html(TABLE)}</body>")
    (table,) = root.iter("table")
    assert table.find("caption").text == "Scores & gains"
    headers = [th.text for th in table.find("thead").iter("th")]
    assert headers == ["system", "a <ours>", "gain"]
    assert {th.get("scope") for th in table.find("thead").iter("th")} == {"col"}
    rows = list(table.find("tbody"))
    assert [row.find("th").text for row in rows] == ["baseline", "D_9"]
    assert {row.find("th").get("scope") for row in rows} == {"row"}
    assert rows[1].find("td").find("strong").text == "2.50 (1)"
    assert [p.text for p in root.iter("p")] == ["One note.", "a|b"]


def test_files_are_written_and_the_numbers_read_back(tmp_path):
    paths = write_table(TABLE, tmp_path / "tables")
    assert [path.name for path in paths] == [
        "table_1.md",
        "table_1.csv",
        "table_1.tex",
    ]
    read = pd.read_csv(io.StringIO(paths[1].read_text()), index_col="system")
    pd.testing.assert_frame_equal(read, TABLE.values)
