"""Settings of all that the engine trains: how its step runs, and where."""

import dataclasses
import functools

from dlfa_tf.runs import setting

_training = functools.partial(setting.setting, "training")
_place = functools.partial(setting.setting, "place")
STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """What a run and an adaptation have in common; see `Setting`."""

    precision: str = _training(
        "Dtype policy; `auto` is mixed_bfloat16 where the hardware has it",
        choices=("float32", "mixed_bfloat16", "mixed_float16", "auto"),
    )
    jit_compile: bool = _training(
        "Compile the step with XLA", False, in_tables="free"
    )
    strategy: str = _place(
        "Where to train: one device, all GPUs of this machine, or the "
        "machines in TF_CONFIG",
        choices=STRATEGIES,
    )
    checkpoint_minutes: float = _place(
        "Minutes between two checkpoints; 0 is after every step",
        10.0,
        low=0,
        finite=False,
    )
    keep_checkpoints: int = _place("Newest checkpoints to keep", 2, low=1)
