"""Writes docs/settings.md from the declaration of the settings.

python -m tools.settings_table            writes the document
python -m tools.settings_table --check    fails when it is not up to date
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlfa_tf.adapting.settings import SETTINGS as ADAPT_SETTINGS
from dlfa_tf.adapting.settings import AdaptConfig
from dlfa_tf.data.task import Task
from dlfa_tf.runs.setting import REQUIRED
from dlfa_tf.runs.setting import Setting
from dlfa_tf.runs.settings import SETTINGS
from dlfa_tf.runs.settings import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "settings.md"
HEADER = """\
# Settings

Each is a field of `TrainConfig` in [{name}](../{path}), a flag of
`trainers.train` and a value in `config.json`. This page is written from there
by `make settings-table`. Where runs differ in a setting, a table of them is
refused, names the setting, or is free to hold them side by side.
"""
TITLES = {
    "data": "Data, which a bundle holds",
    "model": "System",
    "gate": "Gate of equation 2, which only a D_x has",
    "training": "Training",
    "evaluation": "Evaluation, whose data a bundle holds too",
    "place": "Place: what may differ when a run goes on",
}
ADAPT_HEADER = """
# Settings of an adaptation

Each is a field of `AdaptConfig` in [{name}](../{path}), a flag of
`trainers.adapt` and a value in `adaptation/settings.json`; see
[adapting](adapting.md).
"""
ADAPT_TITLES = {
    "data": "Text",
    "training": "Training of an adaptation",
    "place": "Place of an adaptation",
}
_KINDS = {
    str: "text", int: "an integer", float: "a number", bool: "true, false",
    tuple: "a list", Task: "a table",
}  # fmt: skip


def settings_document() -> str:
    """The text of the document."""
    return _section(TrainConfig, SETTINGS, HEADER, TITLES) + _section(
        AdaptConfig, ADAPT_SETTINGS, ADAPT_HEADER, ADAPT_TITLES
    )


def _section(
    config: type,
    settings: Mapping[str, Setting],
    header: str,
    titles: Mapping[str, str],
) -> str:
    path = Path(inspect.getfile(config)).relative_to(ROOT)
    parts = [header.format(name=path.name, path=path.as_posix())]
    for group, title in titles.items():
        rows = [_row(x) for x in settings.values() if x.of == group]
        parts.append(
            f"\n## {title}\n\n| setting | values | default | table | what it "
            "is |\n|---|---|---|---|---|\n" + "".join(rows)
        )
    return "".join(parts)


def _row(setting: Setting) -> str:
    values = setting.accepted or _KINDS[setting.kind]
    default: Any = setting.unset or setting.default
    if default is REQUIRED:
        default = "has to be given"
    elif default is None:
        default = "none"
    elif isinstance(default, tuple):
        default = ", ".join(default)
    return (
        f"| `{setting.name}` | {values} | {default} | {setting.in_tables} | "
        f"{setting.help} |\n"
    )


if __name__ == "__main__":
    FILE.write_text(settings_document(), encoding="utf-8")
