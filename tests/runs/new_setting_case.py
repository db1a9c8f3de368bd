"""What follows from a setting that the declaration has got besides.

Run by a test in a copy of the tree; prints JSON.
"""

import json
import pathlib
import sys

from absl import flags

from dlfa_tf.analysis.comparable import differences
from dlfa_tf.runs.same_settings import check_same_settings
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.runs.settings import default_config
from dlfa_tf.runs.settings import read_config
from dlfa_tf.runs.variants import variant_name
from tools.settings_table import settings_document
from trainers import train


def message(function, *arguments, **named):
    try:
        function(*arguments, **named)
    except ValueError as error:
        return str(error)


def config_from(*arguments):
    flags.FLAGS(["train", "--task=pos", *arguments])
    return train.config_from_flags()


def results(config):
    return {"config": config.to_json(), "score": "pos_f1", "languages": {}}


def main(folder: str) -> None:
    train.define_flags()
    out = f"--output_dir={folder}"
    before = default_config("pos", output_dir=folder)
    given = config_from(out, "--smoothing=0.25")
    file = pathlib.Path(folder) / "config.json"
    file.write_text(json.dumps({"config": given.to_json()}))
    old = before.to_json()
    del old["smoothing"]
    report = {
        "default": before.smoothing,
        "given": given.smoothing,
        "read": read_config(folder) == given,
        "old": TrainConfig.from_json(old) == before,
        "refused": message(default_config, "pos", output_dir="", smoothing=1.0),
        "variant": variant_name(given.to_json()),
        "no variant": variant_name(before.to_json()),
        "differences": differences(results(before), results(given)),
        "resumed": message(check_same_settings, old, given, folder),
        "document": settings_document(),
        "help": flags.FLAGS["smoothing"].help,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
