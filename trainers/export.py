r"""Exports a trained model as a SavedModel that takes raw strings.

Every export is checked by the rules of `--check` before it becomes visible.

Example:
    python -m trainers.export --model=runs/pos-D_9 --name=pos
    python -m trainers.export --check=saved_models/pos/1
    python -m trainers.export --mount=/models=saved_models \
        --check_config=saved_models/model.config,saved_models/batching.config
"""

import itertools
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from absl import flags

from dlfa_tf import words
from dlfa_tf.data.formats import text_lines
from trainers import common_flags

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "model",
    "name",
    "check",
    "saved_models_dir",
    "vocabulary_of",
)
# A name is a folder and a part of a URL; folders that begin with a dot are
# not yet complete.
NAME = re.compile(r"[\w-][\w.-]*", re.ASCII)
# Flags that say nothing of an export that is checked as it is.
_ONLY_WITH_MODEL = (
    "import_module",
    "saved_models_dir",
    "version",
    "max_batch_size",
    "rows_at_a_time",
    "vocabulary_of",
    "precision",
    "quantize",
)


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string("model", None, "Run folder or saved task preset.")
    common_flags.define_import_flag()
    flags.DEFINE_string("name", None, "Name of the model in the server.")
    flags.DEFINE_string(
        "check",
        None,
        "Version folder of an export to check instead of writing one.",
    )
    flags.DEFINE_list(
        "check_config",
        None,
        "Configuration files of a model server (model.config, "
        "batching.config) to check, with the exports that they name, instead "
        "of writing one.",
    )
    flags.DEFINE_multi_string(
        "mount",
        [],
        "<folder in the server's container>=<the same folder here>, for "
        "--check_config. Default: paths are those of this machine.",
    )
    flags.DEFINE_string(
        "saved_models_dir", "saved_models", "Folder of the exported models."
    )
    flags.DEFINE_integer(
        "version",
        None,
        "Version of the export; default the next free one.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "max_batch_size",
        32,
        "Texts of the largest request that the server is warmed up for.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "rows_at_a_time",
        8,
        "Rows of similar length that the encoder takes at once; a GPU wants "
        "more.",
        lower_bound=1,
    )
    flags.DEFINE_list(
        "vocabulary_of",
        None,
        "Text files, plain, .gz or .bz2; the export knows the pieces that "
        "occur in them and reads all others as unknown, which makes it much "
        "smaller. Default: it knows the whole vocabulary.",
    )
    common_flags.define_choice(
        "precision",
        None,
        ("float32", "bfloat16", "mixed_bfloat16"),
        "Numbers that the export computes in; bfloat16 stores its weights in "
        "it, too, and is half as large. Default: as the model was trained.",
    )
    common_flags.define_choice(
        "quantize",
        None,
        ("int8",),
        "Stores the dense layers and embeddings of the backbone in 8 bits: "
        "a quarter of the size, as fast. Default: as the model is.",
    )
    flags.register_multi_flags_validator(
        ["quantize", "vocabulary_of"],
        lambda f: not (f["quantize"] and f["vocabulary_of"]),
        message="Accepted: --quantize or --vocabulary_of, not both.",
    )
    flags.register_validator(
        "name",
        lambda name: name is None or NAME.fullmatch(name),
        message="Accepted: letters, digits, '_', '-' and '.', not first.",
    )
    flags.register_multi_flags_validator(
        ["model", "name", "check", "check_config"],
        lambda f: (
            bool(f["model"]) == bool(f["name"])
            and sum(map(bool, (f["model"], f["check"], f["check_config"]))) == 1
        ),
        message="Accepted: --model and --name together, or --check alone, or "
        "--check_config alone.",
    )
    flags.register_validator(
        "mount",
        lambda mounts: all(
            inside.startswith("/") and outside
            for inside, _, outside in (x.partition("=") for x in mounts)
        ),
        message="Accepted: /FOLDER/IN/CONTAINER=FOLDER.",
    )
    common_flags.refuse_without("check_config", "mount")
    common_flags.refuse_without("model", *_ONLY_WITH_MODEL)
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Writes an export, or checks one, or the files of a server."""
    if FLAGS.check or FLAGS.check_config:
        _check()
        return
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.runs import load
    from dlfa_tf.runs import run_folder
    from dlfa_tf.serving.export import dequantised_weights
    from dlfa_tf.serving.export import export_module

    run_folder.check_parent_dir(FLAGS.saved_models_dir, "saved_models_dir")
    common_flags.import_modules()
    base = pathlib.Path(FLAGS.saved_models_dir) / FLAGS.name
    model = load.load_model(FLAGS.model, FLAGS.precision)
    kept_ids = _kept_ids(model.preprocessor)
    if FLAGS.quantize:
        common_flags.say(f"Quantising the backbone to {FLAGS.quantize}")
        model.quantize(config=dequantised_weights.weights_only())
    common_flags.say("Writing the SavedModel, then asking it its warm-up")
    folder = export_module.export_saved_model(
        model,
        base,
        FLAGS.version,
        max_batch_size=FLAGS.max_batch_size,
        rows_at_a_time=FLAGS.rows_at_a_time,
        kept_ids=kept_ids,
        run=_describe_run(FLAGS.model),
    )
    common_flags.say(f"Exported to {folder}")


def _kept_ids(preprocessor: Any) -> Any:
    """Ids of the pieces in the files of `--vocabulary_of`; None without."""
    if not FLAGS.vocabulary_of:
        return None
    from dlfa_tf.serving.export import kept_vocabulary

    texts = itertools.chain.from_iterable(map(_texts, FLAGS.vocabulary_of))
    kept_ids = kept_vocabulary.pieces_of_texts(preprocessor, texts)
    common_flags.say(f"{len(kept_ids)} pieces are kept")
    return kept_ids


def _texts(path: str) -> Iterator[bytes]:
    """Lines of a file, of which one holds something."""
    is_empty = True
    for _, text in text_lines.read_lines(path):
        is_empty = is_empty and words.is_blank(text)
        yield text.encode()
    if is_empty:
        raise ValueError(
            f"`vocabulary_of` has a file without text. Received: {path!r}. "
            "Accepted: texts like those that the export will read."
        )


def _check() -> None:
    """Prints what every rule found; fails when one is broken."""
    if FLAGS.check:
        from dlfa_tf.serving.export import lint

        checked = FLAGS.check
        findings = lint.check_export(checked)
    else:
        from dlfa_tf.serving.export import server_config

        checked = ", ".join(FLAGS.check_config)
        mounts = dict(item.split("=", 1) for item in FLAGS.mount)
        findings = server_config.check_server_config(FLAGS.check_config, mounts)
    for finding in findings:
        common_flags.say(str(finding))
    broken = [finding.rule for finding in findings if finding.problems]
    if broken:
        raise ValueError(
            f"{checked} breaks {len(broken)} of {len(findings)} rules: "
            f"{', '.join(broken)}."
        )


def _describe_run(folder: str) -> dict[str, Any]:
    """What the metadata file says of the run; little for a bare preset."""
    from dlfa_tf.runs import environment
    from dlfa_tf.runs import run_folder

    exporter = {"exporter_git_revision": environment.git_revision()}
    try:
        results = run_folder.read_results(folder)
    except FileNotFoundError:
        return exporter
    config = results["config"]
    return {
        **exporter,
        "task": config["task"],
        "definition": config.get("definition"),
        "system": results["system"],
        "preset": config["preset"],
        "preset_source": results.get("preset_source"),
        "seed": config.get("seed"),
        "score": results["score"],
        "dev_score": results.get("dev_score"),
        "averages": results.get("averages"),
        "languages": {
            language: entry["score"]
            for language, entry in results.get("languages", {}).items()
        },
        "git_revision": results["environment"]["git_revision"],
        "packages": results["environment"]["packages"],
    }


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
