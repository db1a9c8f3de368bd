"""Block numbers of many runs, checked before the first of them starts."""

from collections.abc import Sequence

from dlfa_tf import files
from dlfa_tf.sweeps.cells import Cell

_CONFIG = "config.json"
# Blocks of presets by name. Loading an encoder to count them takes seconds,
# or a download.
_NUM_BLOCKS = {
    "e5_small_multi": 12,
    "bert_base_multi": 12,
    "distil_bert_base_multi": 6,
    "xlm_roberta_base_multi": 12,
    "xlm_roberta_large_multi": 24,
    "tiny": 3,
    "tiny_sentencepiece": 3,
}


def known_num_blocks(preset: str) -> int | None:
    """Number of blocks of a preset where it is known at once, None elsewhere.

    Known for some names and for local folders of a keras-hub encoder. Nothing
    is loaded or downloaded.
    """
    if preset in _NUM_BLOCKS:
        return _NUM_BLOCKS[preset]
    try:
        path = files.user_path(preset, "preset") / _CONFIG
        number = files.read_json(path)["config"]["num_layers"]
    except (OSError, ValueError, KeyError, TypeError):
        # Not a folder, or one that loading has its own words for.
        return None
    return number if type(number) is int else None


def check_block_numbers(cells: Sequence[Cell]) -> None:
    """Refuses runs that ask for blocks which their encoder does not have.

    Each would fail as soon as its encoder is loaded, after the runs before it
    have taken their time. The ValueError names all such runs.
    """
    wrong = {}
    for cell in cells:
        config = cell.config
        blocks = known_num_blocks(config.preset)
        if blocks is None:
            continue
        last = config.last_layer or blocks
        lowest = config.fusion_layer
        if (
            last > blocks
            or (config.frozen_layers or 0) > blocks
            or (lowest is not None and lowest >= last)
        ):
            wrong[cell.name] = (
                f"fusion_layer={lowest}, last_layer={config.last_layer}, "
                f"frozen_layers={config.frozen_layers} with preset "
                f"{config.preset!r} of {blocks} blocks"
            )
    if wrong:
        name, received = next(iter(wrong.items()))
        raise ValueError(
            f"{len(wrong)} of {len(cells)} runs ask for blocks that the "
            f"encoder does not have: {', '.join(wrong)}. Received: {name} with "
            f"{received}. Accepted: a `fusion_layer` below the last block, a "
            "`last_layer` and `frozen_layers` not above the number of blocks. "
            "Nothing was started."
        )
