"""A table as Markdown, CSV and LaTeX."""

import dataclasses
import html
import pathlib
import re

import pandas as pd

from dlfa_tf import files


@dataclasses.dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table for people and for programs.

    Attributes:
        name: str, start of its file names.
        title: str, one line.
        values: numbers, a column for each.
        text: what a reader sees, laid out; same rows as `values`.
        best: bool, same rows and columns as `text`: which cells to mark.
        notes: sentences to be read with the table.
        prose: columns of `text` that hold running text, in any script.
    """

    name: str
    title: str
    values: pd.DataFrame
    text: pd.DataFrame
    best: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()

    def cells(self, mark: tuple[str, str]) -> list[list[str]]:
        """Rows of texts, the name of the row first; `mark` around the best."""
        rows = []
        for i, name in enumerate(self.text.index):
            row = [str(name)]
            for j, cell in enumerate(self.text.iloc[i]):
                best = self.best is not None and bool(self.best.iloc[i, j])
                row.append(f"{mark[0]}{cell}{mark[1]}" if best else str(cell))
            rows.append(row)
        return rows

    @property
    def header(self) -> list[str]:
        """Names of the columns, that of the rows' names first."""
        return [str(self.text.index.name or ""), *map(str, self.text.columns)]


def to_markdown(table: PaperTable) -> str:
    """The table with its title and notes as Markdown.

    pandas' own `to_markdown` needs a further package (tabulate).

    Example:
        import pandas as pd

        from dlfa_tf import analysis

        summary = pd.DataFrame(
            {
                "task": "pos",
                "label": ["baseline", "D_9"],
                "system": ["baseline", "D_9"],
                "gate": [None, "feature"],
                "layer": pd.array([None, 9], "Int64"),
                "part": "all",
                "seeds": 1,
                "mean": [80.0, 81.0],
                "spread": float("nan"),
                "gain": [float("nan"), 1.0],
                "low": float("nan"),
                "high": float("nan"),
                "interval": "",
            }
        )
        analysis.to_markdown(analysis.table_1(summary))
    """
    lines = [f"**{table.title}**", ""]
    lines += markdown_rows(table.header, table.cells(("**", "**")))
    lines += [part for note in table.notes for part in ("", note)]
    return "\n".join(lines) + "\n"


def markdown_rows(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(header) + " |"]
    lines.append("|---|" + "---:|" * (len(header) - 1))
    for row in rows:
        cells = [cell.replace("|", "\\|") or " " for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def to_latex(table: PaperTable) -> str:
    r"""The table as a LaTeX `table` with a caption, for `booktabs`.

    pandas' own `to_latex` needs a further package (jinja2).

    Example:
        import pandas as pd

        from dlfa_tf import analysis

        summary = pd.DataFrame(
            {
                "task": "pos",
                "label": ["baseline", "D_9"],
                "system": ["baseline", "D_9"],
                "gate": [None, "feature"],
                "layer": pd.array([None, 9], "Int64"),
                "part": "all",
                "seeds": 1,
                "mean": [80.0, 81.0],
                "spread": float("nan"),
                "gain": [float("nan"), 1.0],
                "low": float("nan"),
                "high": float("nan"),
                "interval": "",
            }
        )
        analysis.to_latex(analysis.table_1(summary))
    """
    rows = table.cells(("\0", "\1"))
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latex(table.title)}. "
        + _latex(" ".join(table.notes)) + "}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        r"\toprule",
        " & ".join(map(_latex, table.header)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_latex, row)) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "±": r"$\pm$", "†": r"$\dagger$",
    "\0": r"\textbf{", "\1": "}",
}  # fmt: skip


def _latex(text: str) -> str:
    # An opening bracket after a line break would be read as its argument.
    text = re.sub(r"[\\&%$#_{}~^±†\0\1]", lambda m: _LATEX[m[0]], text)
    return f"{{}}{text}" if text.startswith("[") else text


def to_html(table: PaperTable) -> str:
    """The table as an HTML `table` with a caption; the notes below it."""
    head = "".join(
        f'<th scope="col">{html.escape(name)}</th>' for name in table.header
    )
    body = []
    for row in table.cells(("\0", "\1")):
        first, *rest = [
            html.escape(cell)
            .replace("\0", "<strong>")
            .replace("\1", "</strong>")
            for cell in row
        ]
        cells = "".join(
            f'<td class="text" dir="auto">{cell}</td>'
            if name in table.prose
            else f"<td>{cell}</td>"
            for name, cell in zip(table.header[1:], rest, strict=True)
        )
        body.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    notes = "".join(
        f'<p class="note">{html.escape(note)}</p>' for note in table.notes
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" '
        f'aria-label="{html.escape(table.title)}"><table class="sortable">'
        f"<caption>{html.escape(table.title)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
        f"</table></div>{notes}"
    )


def write_table(table: PaperTable, folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes `{name}.md`, `{name}.csv` (numbers) and `{name}.tex`."""
    written = []
    for suffix, text in (
        ("md", to_markdown(table)),
        ("csv", table.values.to_csv()),
        ("tex", to_latex(table)),
    ):
        path = folder / f"{table.name}.{suffix}"
        files.write_text(path, text)
        written.append(path)
    return written
