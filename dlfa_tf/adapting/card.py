"""The card of an adapted preset: what a person wants to know of it."""

from typing import Any


def text(record: dict[str, Any]) -> str:
    """Markdown text of the card.

    Args:
        record: content of `adaptation.json`.

    Returns:
        str, of the same values.
    """
    config = record["config"]
    words = "whole words" if config["whole_words"] else "single pieces"
    embeddings = "left as it was" if config["frozen_embeddings"] else "trained"
    rows = record["rows_by_language"]
    lines = [
        f"# {config['preset']}, adapted",
        "",
        f"An encoder that went on from `{config['preset']}` "
        f"({record['preset_source']}) by guessing hidden pieces of text "
        "without labels. Every program of dlfa_tf takes this folder as "
        "`--preset`, and `from_preset` of its task models in Python.",
        "",
        "## Text held back",
        "",
        "| language | rows trained on | guesses | right before | right after "
        "| loss before | loss after |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, scores in record["languages"].items():
        before, after = scores["before"], scores["after"]
        lines.append(
            f"| {name} | {rows[name]} | {after['pieces']} "
            f"| {before['accuracy']:.1f} % | {after['accuracy']:.1f} % "
            f"| {before['loss']:.3f} | {after['loss']:.3f} |"
        )
    if record["head"] == "new":
        lines += [
            "",
            "The head that guesses was new, so the figures before say nothing "
            "of the encoder.",
        ]
    lines += [
        "",
        "## How",
        "",
        f"{record['total_steps']} steps of {config['batch_size']} rows of "
        f"{config['sequence_length']} pieces, {100 * config['mask_rate']:.0f} "
        f"% of them to be guessed ({words}); highest learning rate "
        f"{config['learning_rate']:g}; token embedding {embeddings}; weights "
        f"of step {record['best_step']}, by the share of right guesses; seed "
        f"{config['seed']}. Files: {', '.join(config['texts'])}. All settings "
        "and versions: `adaptation.json`.",
        "",
        "## Limits",
        "",
        "Guessing pieces better is no proof of better transfer: fine-tune and "
        "score. The licence is that of the encoder it went on from.",
        "",
    ]
    return "\n".join(lines)
