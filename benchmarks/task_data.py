"""Which data the benchmarks of the input pipeline run on."""

from absl import flags

from dlfa_tf.data import tasks
from dlfa_tf.data.sources import Source
from dlfa_tf.options import DEFAULT_PRESET


def define_flags() -> None:
    """Defines `--data_dir` and `--preset`."""
    flags.DEFINE_string(
        "data_dir",
        None,
        "Folder that holds xnli/, pawsx/, panx/, udpos_fused/; default the "
        "sample of the package, which is too small for figures.",
    )
    flags.DEFINE_string("preset", DEFAULT_PRESET, "Preset of the tokenizer.")


def source(task: str) -> Source:
    """The source of a task that the flags name."""
    folder = flags.FLAGS.data_dir
    return Source(
        task=tasks.get_task(task),
        name="sample" if folder is None else "files",
        data_dir=folder,
    )
