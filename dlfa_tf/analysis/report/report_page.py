"""A self-contained HTML page: one file, no network, sortable tables."""

import base64
import dataclasses
import html
import pathlib
import re
from collections.abc import Sequence

# The browser itself refuses to load anything from elsewhere.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'"
)
_STYLE = """
:root { color-scheme: light; --page: #fff; --text: #1a1a1a; --quiet: #444;
  --link: #0050a0; --focus: #e69f00; --line: #ddd; --rule: #bbb; --head: #555;
  --row: #f2f6fa; --arrow: #767676; --code: #f4f4f4; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --page: #16181c; --text: #ececec;
    --quiet: #b0b4ba; --link: #7db8f5; --focus: #f0a04a; --line: #33383f;
    --rule: #555b64; --head: #8a9099; --row: #232830; --arrow: #9aa0a8;
    --code: #20242a; }
}
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); margin: 0 auto;
  max-width: 72rem; padding: 0 1rem 3rem; background: var(--page); }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2.5rem;
  border-bottom: 1px solid var(--rule); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0;
  list-style: none; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, .scroll:focus-visible,
summary:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; }
.scroll { overflow-x: auto; max-width: 100%; margin-top: 1rem; }
table { border-collapse: collapse; font-size: .875rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0;
  max-width: calc(100vw - 2rem); }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
td.text { white-space: normal; min-width: 16rem; text-align: start;
  overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid var(--head); vertical-align: bottom;
  white-space: normal; min-width: 4.5rem; }
th:first-child { text-align: left; position: sticky; left: 0;
  background: var(--page); }
tbody tr:hover > * { background: var(--row); }
th button { font: inherit; color: inherit; background: none; border: 0;
  padding: 0; cursor: pointer; text-align: inherit; }
th button::after { content: "\\a0\\2195"; color: var(--arrow); }
th[aria-sort=ascending] button::after { content: "\\a0\\2191";
  color: var(--text); }
th[aria-sort=descending] button::after { content: "\\a0\\2193";
  color: var(--text); }
.note { font-size: .875rem; color: var(--quiet); max-width: 50rem;
  margin: .4rem 0; }
figure { margin: 1.5rem 0; }
figure img { max-width: 100%; height: auto; display: block;
  background: #fff; }
figcaption { font-size: .875rem; color: var(--quiet); max-width: 50rem; }
pre { overflow-x: auto; background: var(--code); padding: .75rem;
  font-size: .8125rem; }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { max-width: none; font-size: 10pt; }
  nav, th button::after { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 7pt; }
  .note, figcaption, pre { font-size: 8pt; }
  caption { font-size: 9pt; }
  th, td { padding: 1px 3px; }
  th:first-child { position: static; }
  thead th { min-width: 0; }
  tr, figure { break-inside: avoid; }
  h2 { break-after: avoid; }
  figure img { max-height: 120mm; width: auto; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
"""
# A column sorts as numbers when all that is in it begins with one.
_SCRIPT = r"""
"use strict";
const numberOf = (text) => {
  const match = text.replace("\u2212", "-").match(/^[+-]?\d+(\.\d+)?/);
  return match ? Number(match[0]) : null;
};
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      const rows = [...body.rows].map((row) => {
        const text = row.cells[column].textContent.trim();
        return { row, text, number: numberOf(text) };
      });
      const filled = (item) => item.text !== "" && item.text !== "no run";
      const numeric = rows.filter(filled).every((x) => x.number !== null);
      const order = (a, b) => numeric ? a.number - b.number
        : a.text.localeCompare(b.text, "en", { numeric: true });
      rows.sort((a, b) => {
        if (filled(a) !== filled(b)) return filled(a) ? -1 : 1;
        return up ? order(a, b) : order(b, a);
      });
      body.append(...rows.map((item) => item.row));
      for (const other of header.parentNode.children) {
        other.removeAttribute("aria-sort");
      }
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
    });
  });
}
// Paper has nothing to click on.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture; its caption is also what a screen reader says."""

    path: pathlib.Path
    caption: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report, in pieces of HTML."""

    title: str
    parts: Sequence[str]

    @property
    def anchor(self) -> str:
        """Name that links use."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def notes(texts: Sequence[str]) -> str:
    """A list of plain texts; nothing for none."""
    items = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
    return f'<ul class="note">{items}</ul>' if items else ""


def figure(picture: Picture) -> str:
    """A picture inside the page, with its caption."""
    data = base64.b64encode(picture.path.read_bytes()).decode("ascii")
    caption = html.escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def folded(summary: str, content: str) -> str:
    """Plain text that is shown on demand."""
    return (
        f"<details><summary>{html.escape(summary)}</summary>"
        f"<pre>{html.escape(content)}</pre></details>"
    )


def page(title: str, sections: Sequence[Section]) -> str:
    """The whole page, HTML that loads nothing; empty sections are left out."""
    sections = [section for section in sections if any(section.parts)]
    links = "".join(
        f'<li><a href="#{section.anchor}">{html.escape(section.title)}</a></li>'
        for section in sections
    )
    body = "".join(
        f'<section aria-labelledby="{section.anchor}">'
        f'<h2 id="{section.anchor}">{html.escape(section.title)}</h2>'
        f"{''.join(section.parts)}</section>"
        for section in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><header><h1>{html.escape(title)}</h1>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>'
        f"<main>{body}</main><script>{_SCRIPT}</script></body></html>\n"
    )
