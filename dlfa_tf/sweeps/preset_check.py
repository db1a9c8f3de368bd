"""The presets of many runs, looked at before the first of them starts."""

from collections.abc import Sequence

from dlfa_tf.runs import processes
from dlfa_tf.sweeps import block_numbers
from dlfa_tf.sweeps.cells import Cell

_CHECK = """
import sys
from dlfa_tf import checks
from dlfa_tf.models import presets
try:
    presets.check_preset_length(sys.argv[1], int(sys.argv[2]))
except (ValueError, TypeError, OSError, ImportError) as error:
    sys.exit(checks.one_line(error))
"""


def check_presets(cells: Sequence[Cell]) -> None:
    """Refuses presets that no run could load, as far as that is known at once.

    Nothing is downloaded. Names whose encoders are known are not looked at,
    nor are folders that say how many blocks they have.

    Args:
        cells: the runs.

    Raises:
        ValueError: with the message that each run would end with.
    """
    longest: dict[str, int] = {}
    for cell in cells:
        preset, length = cell.config.preset, cell.config.sequence_length
        if block_numbers.known_num_blocks(preset) is None:
            longest[preset] = max(length, longest.get(preset, 0))
    for preset, length in longest.items():
        processes.check(_CHECK, [preset, str(length)])
