"""Says what a preset is, without training."""

from rich.console import Console
from rich.table import Table

from trainers import common_flags


def check_preset(preset: str) -> None:
    """Loads a preset and prints what it is.

    ValueError when it cannot be used for raw text; other errors are those of
    `load_encoder`.
    """
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.models.presets import description

    common_flags.say(f"loading {preset}")
    found = description.describe_preset(preset)
    size = sum(found.files.values())
    rows = {
        "source": found.source,
        "form": found.form,
        "files": (
            f"{len(found.files)}, {size / 1e6:.0f} MB" if found.files else "-"
        ),
        "licence file": found.licence or "none beside the files",
        "encoder": f"{found.encoder}, {found.parameters / 1e6:.1f} M weights",
        "blocks": str(found.blocks),
        "width": f"{found.width}, {found.heads} heads",
        "pieces per row": str(found.positions or "any number"),
        "activation": found.activation,
        "pooler": found.pooler,
        "embedding rows": str(found.vocabulary_rows),
        "tokenizer": found.tokenizer or "none that is read here",
        "cased": {True: "yes", False: "no", None: "-"}[found.cased],
        "raw text": "yes" if found.tokenizer_error is None else "refused",
    }
    table = Table(show_header=False, title=f"preset {preset}")
    table.add_column(no_wrap=True)
    # On one line where there is no terminal, so that it can be searched.
    console = Console()
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value)
    width = max(len(x) for x in rows.values()) + 30
    if not console.is_terminal:
        console = Console(width=max(width, console.width))
    console.print(table)
    if found.tokenizer_error is not None:
        raise ValueError(found.tokenizer_error)
