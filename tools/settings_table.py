"""Writes docs/settings.md from the declaration of the settings.

python -m tools.settings_table            writes the document
python -m tools.settings_table --check    fails when it is not up to date
"""

import inspect
from pathlib import Path

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
_KINDS = {
    str: "text", int: "an integer", float: "a number", bool: "true, false",
    tuple: "a list",
}  # fmt: skip


def settings_document() -> str:
    """The text of the document."""
    path = Path(inspect.getfile(TrainConfig)).relative_to(ROOT)
    parts = [HEADER.format(name=path.name, path=path.as_posix())]
    for group, title in TITLES.items():
        rows = [_row(x) for x in SETTINGS.values() if x.of == group]
        parts.append(
            f"\n## {title}\n\n| setting | values | default | table | what it "
            "is |\n|---|---|---|---|---|\n" + "".join(rows)
        )
    return "".join(parts)


def _row(setting: Setting) -> str:
    values = setting.accepted or _KINDS[setting.kind]
    default = setting.unset or setting.to_json(setting.default)
    if default is REQUIRED:
        default = "has to be given"
    elif default is None:
        default = "none"
    elif isinstance(default, list):
        default = ", ".join(default)
    return (
        f"| `{setting.name}` | {values} | {default} | {setting.in_tables} | "
        f"{setting.help} |\n"
    )


if __name__ == "__main__":
    FILE.write_text(settings_document(), encoding="utf-8")
