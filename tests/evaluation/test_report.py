"""The report: what is in it, and what a browser makes of it."""

import html
import html.parser
import json
import re
import shutil
import subprocess

import pytest

from dlfa_tf.evaluation.analysis import analyze
from dlfa_tf.evaluation.report import train_command
from dlfa_tf.evaluation.report import write_report
from dlfa_tf.evaluation.runs import load_runs


class Reader(html.parser.HTMLParser):
    """Tables, links, images and what is loaded from where."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.loaded, self.alts = [], [], []
        self.links, self.ids, self.open = [], [], []
        self.cell = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.cell = ""
        elif tag == "a":
            self.links.append(attrs["href"])
        elif tag == "img":
            self.alts.append(attrs["alt"])
        self.loaded += [attrs[x] for x in ("src", "data") if x in attrs]
        assert tag != "link"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("th", "td"):
            self.tables[-1][-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data


@pytest.fixture
def report(lab, tmp_path):
    """Path of a report of two tasks."""
    for seed in (1, 2):
        for system in ("baseline", "D_2", "D_10"):
            lab.run("pawsx", system, seed, dev_score=90.0 + seed)
    lab.run("pos", "D_2")
    found = analyze(load_runs(lab.runs), str(lab.data), num_samples=100)
    return write_report(found, tmp_path / "out", command="python <this>")


def test_report_is_one_file_with_everything(report):
    text = report.read_text()
    page = Reader(text)
    assert page.open == []
    assert all(source.startswith("data:image/png") for source in page.loaded)
    assert len(page.loaded) == 2 and all(page.alts)
    assert not re.search(r"https?://", text)
    assert {link.removeprefix("#") for link in page.links} == set(page.ids)
    titles = {rows[0][0] for rows in page.tables}
    assert titles == {"system", "task and seed", "language", "run"}
    first = page.tables[0]
    assert [row[0] for row in first] == ["system", "baseline", "D_10", "D_2"]
    assert first[1][first[0].index("POS ours")] == "no run"
    assert "python &lt;this&gt;" in text
    assert "python -m trainers.train --task=pawsx" in text
    assert "git_revision" in text
    files = {
        path.relative_to(report.parent).as_posix()
        for path in report.parent.rglob("*.*")
    }
    assert files == {
        "report.html",
        "figures/score_by_layer.png",
        "figures/gains_pawsx.png",
        *(
            f"tables/{name}.{suffix}"
            for name in (
                "layer_choice",
                "table_1",
                "table_2",
                "table_4_pawsx",
                "table_4_pos",
            )
            for suffix in ("csv", "md", "tex")
        ),
    }


def test_command_of_a_run_is_one_that_the_program_takes(lab):
    from absl import flags

    from trainers import train

    lab.run("pos", "D_2", seed=3, languages=("de",), weight_decay=0.0)
    (run,) = load_runs(lab.runs).runs
    command = train_command(run.results)
    before = set(flags.FLAGS)
    try:
        train.define_flags()
        flags.FLAGS(["program", *command.split()[3:]])
        assert flags.FLAGS.fusion_layer == 2
        assert flags.FLAGS.seed == 3
        assert flags.FLAGS.data_dir == "DIR"
        assert flags.FLAGS.output_dir == "runs/pos/D_2/seed-3"
    finally:
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)
        flags.FLAGS.unparse_flags()


CHECK = """
<script>
window.addEventListener("load", () => {
  const table = document.querySelector("table");
  const names = () => [...table.tBodies[0].rows].map(
    (row) => row.cells[0].textContent);
  const click = (i) => table.tHead.rows[0].cells[i]
    .querySelector("button").click();
  const seen = [];
  click(0); seen.push(names());
  click(0); seen.push(names());
  click(1); seen.push(names());
  seen.push(table.tHead.rows[0].cells[1].getAttribute("aria-sort"));
  seen.push(table.tHead.rows[0].cells[0].getAttribute("aria-sort"));
  seen.push([...document.images].every((x) => x.naturalWidth > 100));
  seen.push(document.documentElement.scrollWidth <= window.innerWidth);
  const details = [...document.querySelectorAll("details")];
  seen.push(details.map((x) => x.open));
  window.dispatchEvent(new Event("beforeprint"));
  seen.push(details.map((x) => x.open));
  document.title = JSON.stringify(seen);
});
</script>
"""


@pytest.fixture
def browse(tmp_path):
    """Opens a page in a browser: its DOM afterwards, and its console."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no browser: neither chromium nor google-chrome is there")

    def browse(path, width):
        done = subprocess.run(
            [
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={tmp_path}/profile",
                f"--window-size={width},900",
                "--enable-logging=stderr",
                "--virtual-time-budget=5000",
                "--dump-dom",
                path.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        console = [x for x in done.stderr.splitlines() if "CONSOLE" in x]
        return done.stdout, console

    return browse


@pytest.mark.parametrize("width", [1280, 500], ids=["desktop", "phone"])
def test_browser_shows_and_sorts_without_an_error(report, browse, width):
    checked = report.with_name("checked.html")
    checked.write_text(report.read_text().replace("</body>", CHECK + "</body>"))
    dom, console = browse(checked, width)
    assert console == []
    title = re.search(r"<title>(.*?)</title>", dom)[1]
    up, down, by_score, sort, other, images, fits, shut, printed = json.loads(
        html.unescape(title)
    )
    # By name with numbers as numbers: D_2 before D_10.
    assert up == ["baseline", "D_2", "D_10"]
    assert down == up[::-1]
    first = Reader(report.read_text()).tables[0]
    scores = {row[0]: float(row[1].split()[0]) for row in first[1:]}
    assert by_score == sorted(scores, key=scores.get)
    assert sort == "ascending" and other is None
    assert images and fits
    assert not any(shut) and all(printed) and printed


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
