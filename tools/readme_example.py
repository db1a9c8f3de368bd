"""Runs the README's Python example with the package that is installed.

python readme_example.py README.md

In place of the real encoder, which trains for minutes, stands the small one
with random weights, whose lower block is its second; the texts are a few.
"""

import re
import sys
import tempfile
from importlib import metadata
from pathlib import Path

REPLACED = {
    '"e5_small_multi"': '"tiny_sentencepiece"',
    "fusion_layer=9": "fusion_layer=2",
    "epochs=2": "epochs=1",
}
TEXTS = {
    "premises": ["The train has left.", "A dog sleeps.", "It rains."] * 2,
    "hypotheses": ["It is gone.", "A dog runs.", "Tom is here."] * 2,
    "labels": ["entailment", "contradiction", "neutral"] * 2,
}


def example(readme: str) -> str:
    """The first Python block of a document, with what is replaced in it.

    ValueError when something to replace is not there: the example changed.
    """
    match = re.search(r"^```python[^\n]*\n(.*?)^```", readme, re.M | re.S)
    code = match[1] if match else ""
    for old, new in REPLACED.items():
        if old not in code:
            raise ValueError(f"The README's example has no {old} any more.")
        code = code.replace(old, new)
    return code


def main() -> None:
    """Runs the example in an empty folder and looks at what it leaves."""
    code = example(Path(sys.argv[1]).read_text("utf-8"))
    names: dict = dict(TEXTS)
    with tempfile.TemporaryDirectory() as folder:
        code = code.replace('"my_model"', repr(f"{folder}/my_model"))
        exec(compile(code, "README.md", "exec"), names)
        saved = Path(folder) / "my_model" / "task.json"
        if not saved.is_file() or names["logits"].shape != (1, 3):
            raise SystemExit("the example did not do what it says")
    version = metadata.version("dlfa-tf")
    print(f"the README's example runs with dlfa-tf {version}")


if __name__ == "__main__":
    main()
