r"""Writes text without labels out of the benchmark's own files, for adapting.

Takes the train and dev files of all four tasks, never a test file, and leaves
out the first items of every dev file: those are what scores are measured on. A
language with no more than these has no file.
Sentences of words are joined by spaces, as a tagger sees them. One file a
language, `texts-LANGUAGE.txt`, every text once.

Example:
    python -m benchmarks.adaptation_text --data_dir=DIR --output_dir=texts
"""

import itertools
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import flags

from dlfa_tf import files
from dlfa_tf.data import readers
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import get_task

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string("data_dir", None, "Folder of the benchmark's data.")
    flags.DEFINE_string("output_dir", None, "Folder to write to; new or empty.")
    flags.DEFINE_integer(
        "left_out", 200, "Items at the start of each dev file.", lower_bound=0
    )
    flags.DEFINE_integer(
        "most", 12_000, "Texts per language, after that.", lower_bound=1
    )


def texts_of(example: Any) -> list[str]:
    """The texts of an example: one, two, or a sentence of words."""
    texts = readers.texts_of(example)
    if isinstance(example, TaggedSentence):
        return [" ".join(texts)]
    return [" ".join(text.split()) for text in texts]


def texts_in_turn(parts: Iterable[Sequence[Any]], most: int) -> Iterator[str]:
    """Texts of several files, one example of each in turn, each text once.

    Args:
        parts: the examples of each file.
        most: int, texts to yield.
    """
    seen: set[str] = set()
    for examples in itertools.zip_longest(*parts):
        for example in examples:
            for text in texts_of(example) if example else ():
                if text and text not in seen and len(seen) < most:
                    seen.add(text)
                    yield text


def write_texts(
    data_dir: str, folder: pathlib.Path, left_out: int, most: int
) -> dict[str, int]:
    """Writes one file for each language; returns texts by language."""
    parts: dict[str, list[Sequence[Any]]] = {}
    for task in TASKS:
        source = Source(task=get_task(task), name="files", data_dir=data_dir)
        for split, first in (("train", 0), ("dev", left_out)):
            for language in source.available(split):
                examples = source.load(split, language)[first:]
                parts.setdefault(language, []).append(examples)
    counts = {}
    for language, own in sorted(parts.items()):
        texts = list(texts_in_turn(own, most))
        if not texts:
            continue
        path = folder / f"texts-{language}.txt"
        with files.written_aside(path) as temporary:
            temporary.write_text("".join(x + "\n" for x in texts), "utf-8")
        counts[language] = len(texts)
    return counts


def main(_: Sequence[str] = ()) -> None:
    """Writes the files and prints how many texts each has."""
    folder = pathlib.Path(FLAGS.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise app.UsageError(
            f"--output_dir={folder} is not empty. Accepted: a new folder."
        )
    counts = write_texts(FLAGS.data_dir, folder, FLAGS.left_out, FLAGS.most)
    for language, count in counts.items():
        print(f"{language} {count}")
    print(f"{sum(counts.values())} texts in {len(counts)} languages")


if __name__ == "__main__":
    define_flags()
    flags.mark_flags_as_required(["data_dir", "output_dir"])
    app.run(main)
