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
        precision=resolve_precision(
            config.precision, _begun_in(config.output_dir) if resume else None
        ),
        strategy=workers.resolve_strategy(config.strategy),
    )


def resolve_precision(precision: str, begun_in: str | None) -> str:
    """Decides what `auto` means: as it was begun, or by this machine.

    Args:
        precision: str, dtype policy or `auto`; a policy is returned as it is.
        begun_in: str, dtype policy of what is gone on with, or `auto` or None
            where nothing is.

    Returns:
        str, dtype policy.
    """
    if precision != "auto":
        return precision
    if begun_in not in (None, "auto"):
        return str(begun_in)
    return "mixed_bfloat16" if environment.has_fast_bfloat16() else "float32"


def _begun_in(output_dir: str) -> str | None:
    if not (pathlib.Path(output_dir) / CONFIG).is_file():
        return None
    return settings.read_config(output_dir).precision
