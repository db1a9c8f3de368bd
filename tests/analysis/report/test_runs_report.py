"""The report: what is in it, and what a browser makes of it."""

import html.parser
import re
import shlex

import pytest
from absl import flags

from dlfa_tf.analysis.analysis import analyze
from dlfa_tf.analysis.report.runs_report import train_command
from dlfa_tf.analysis.report.runs_report import write_report
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.runs.recipes import RECIPES
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.bundle_settings import BUNDLE_SETTINGS
from dlfa_tf.training.bundle_settings import check_settings
from tests.browser import Browser
from trainers import train


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
    # Not the baseline's, whose gate is that of the flag's default.
    assert "Settings of pawsx D_2, seed 1" in text
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


@pytest.fixture
def parse():
    """From a command of trainers.train to its config and `--bundle`."""

    def parse(command):
        program, arguments = shlex.split(command)[:3], shlex.split(command)[3:]
        assert program == ["python", "-m", "trainers.train"]
        before = set(flags.FLAGS)
        try:
            train.define_flags()
            flags.FLAGS(["program", *arguments])
            return train.config_from_flags(), flags.FLAGS.bundle
        finally:
            for name in set(flags.FLAGS) - before:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()

    return parse


def shared(config):
    """Settings as `results.json` has them: without folders."""
    values = config.to_json()
    del values["output_dir"], values["data_dir"]
    return values


def test_command_of_a_run_is_one_that_the_program_takes(lab, parse):
    lab.run("pos", "D_2", seed=3, languages=("de",), weight_decay=0.0)
    (run,) = load_runs(lab.runs).runs
    config, _ = parse(train_command(run.results))
    assert (config.fusion_layer, config.seed) == (2, 3)
    assert config.data_dir == "DIR"
    assert config.output_dir == "runs/pos/D_2-preset-tiny/seed-3"


def test_runs_that_may_share_a_table_get_folders_of_their_own():
    def folder(gate, **settings):
        config = default_config(
            "pos", output_dir="-", fusion_layer=9, gate=gate, **settings
        )
        results = {"config": shared(config), "system": "D_9", "gate": gate}
        return train_command(results).rpartition("--output_dir=")[2]

    assert folder("feature") == "runs/pos/D_9/seed-1"
    assert folder("attention") == "runs/pos/D_9-attention/seed-1"
    assert (
        folder("attention", branches="local", dropout=0.3)
        == "runs/pos/D_9-attention-branches-local-dropout-0.3/seed-1"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"eval_limit": 0, "train_limit": 0, "dev_every": 0},
        {"adam_epsilon": 1e-6, "clip_norm": 0.5, "fusion_layer": 2},
        {"weight_decay": 0.01, "compact_vocabulary": False, "last_layer": 5},
        {"fusion": "scalar_mix", "languages": ("de", "zh"), "dropout": 0.25},
        {"preset": "my models/one", "data_source": "sample", "seed": 7},
    ],
    ids=["plain", "unlimited", "adam", "decay", "mix", "spaces"],
)
@pytest.mark.parametrize("recipe", RECIPES)
def test_command_gives_the_settings_of_the_run(parse, recipe, settings):
    for task in ("xnli", "pos"):
        config = default_config(task, recipe, output_dir="-", **settings)
        results = {"config": shared(config), "system": config.system}
        again, bundle = parse(train_command(results))
        assert shared(again) == shared(config)
        assert bundle is None


def test_command_of_a_run_on_a_bundle_has_the_bundle(parse, monkeypatch):
    config = default_config("pos", "quick", output_dir="-", train_limit=0)
    made = {name: shared(config)[name] for name in BUNDLE_SETTINGS}
    monkeypatch.setattr(
        "dlfa_tf.training.bundle_file.read_bundle_meta",
        lambda path: ("0" * 64, {"settings": made}),
    )
    results = {
        "config": shared(config),
        "system": config.system,
        "bundle": {"sha256": "0" * 64, "weights": {}},
    }
    again, bundle = parse(train_command(results))
    assert bundle == "BUNDLE" and again.data_dir is None
    assert shared(again) == shared(config)
    check_settings(again, {"settings": made})


LOOK = """
(() => {
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
  return seen;
})()
"""


@pytest.mark.programs
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_browser_shows_and_sorts_without_an_error(report, tmp_path, width):
    with Browser(tmp_path / "profile") as page:
        page.show_as(width, 900)
        page.open(report.as_uri())
        seen = page.ask(LOOK)
        colour = "getComputedStyle(document.body).backgroundColor"
        assert page.ask(colour) == "rgb(255, 255, 255)"
        page.show_as(width, 900, dark=True)
        assert max(map(int, re.findall(r"\d+", page.ask(colour)))) < 80
        assert page.errors == []
    up, down, by_score, sort, other, images, fits, shut, printed = seen
    # By name with numbers as numbers: D_2 before D_10.
    assert up == ["baseline", "D_2", "D_10"]
    assert down == up[::-1]
    first = Reader(report.read_text()).tables[0]
    scores = {row[0]: float(row[1].split()[0]) for row in first[1:]}
    assert by_score == sorted(scores, key=scores.get)
    assert sort == "ascending" and other is None
    assert images and fits
    assert not any(shut) and all(printed) and printed
