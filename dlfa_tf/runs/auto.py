"""What `auto` means on this machine, or in the run to go on with."""

import dataclasses
import pathlib

from dlfa_tf.runs import environment
from dlfa_tf.runs import settings
from dlfa_tf.runs import workers
from dlfa_tf.runs.run_folder import CONFIG
from dlfa_tf.runs.settings import TrainConfig


def resolved(config: TrainConfig, resume: bool = False) -> TrainConfig:
    """Decides what `auto` means on this machine, or in the run to go on with.

    With `resume` the run in `output_dir`, if there is one, decides the
    precision: half a run in another would be neither. A wrong TF_CONFIG, or a
    folder whose `config.json` no run wrote, raises ValueError.
    """
    return dataclasses.replace(
        config,
        precision=_precision(config, resume),
        strategy=workers.resolve_strategy(config.strategy),
    )


def _precision(config: TrainConfig, resume: bool) -> str:
    if config.precision != "auto":
        return config.precision
    if resume and (pathlib.Path(config.output_dir) / CONFIG).is_file():
        begun_in = settings.read_config(config.output_dir).precision
        if begun_in != "auto":
            return begun_in
    return "mixed_bfloat16" if environment.has_fast_bfloat16() else "float32"
