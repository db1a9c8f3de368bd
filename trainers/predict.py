r"""Labels text: one line in, one line out.

Taggers read a sentence per line and write `word/TAG word/TAG ...`.
Classifiers read `first TAB second` and write `label TAB probability`.

Example:
    echo "Der Fluss ist hoch ." | python -m trainers.predict \
        --model=runs/pos-D_9
"""

import contextlib
import itertools
import os
import pathlib
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import TextIO

from absl import flags

from trainers import common_flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string(
        "model", None, "Run folder or saved task preset.", required=True
    )
    flags.DEFINE_string(
        "input", "-", "UTF-8 text file, one example per line; - reads stdin."
    )
    flags.DEFINE_string(
        "output", "-", "File to write; must not exist; - writes stdout."
    )
    flags.DEFINE_integer("batch_size", 32, "Examples per step.", lower_bound=1)
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Loads the model and labels the input batch by batch."""
    if FLAGS.output != "-" and pathlib.Path(FLAGS.output).exists():
        raise FileExistsError(
            f"`output` exists and is never overwritten. Received: "
            f"{FLAGS.output!r}. Accepted: a new file name."
        )
    with _open_input(FLAGS.input) as lines:
        # Not at the top: a wrong flag should not wait for TensorFlow.
        from dlfa_tf.models.token_classifier import DLFATokenClassifier
        from dlfa_tf.training.model_files import load_model

        model = load_model(FLAGS.model)
        label = _tag if isinstance(model, DLFATokenClassifier) else _classify
        with _open_output(FLAGS.output) as output:
            for start, batch in _batches(lines, FLAGS.batch_size):
                for line in label(model, batch, start):
                    output.write(line + "\n")
                output.flush()


def _tag(model: Any, batch: list[str], _: int) -> Iterator[str]:
    words = model.preprocessor.as_words(batch).to_list()
    tags = model.tag(batch, batch_size=len(batch))
    for sentence, sentence_tags in zip(words, tags, strict=True):
        yield " ".join(
            f"{word.decode()}/{tag}"
            for word, tag in zip(sentence, sentence_tags, strict=True)
        )


def _classify(model: Any, batch: list[str], start: int) -> Iterator[str]:
    import keras

    pairs = []
    for number, line in enumerate(batch, start=start):
        columns = line.split("\t")
        if len(columns) != 2:
            raise ValueError(
                f"Input line {number}: expected two texts separated by TAB. "
                f"Received {len(columns)} column(s): {line[:80]!r}."
            )
        pairs.append(columns)
    logits = model.predict(
        ([a for a, _ in pairs], [b for _, b in pairs]),
        batch_size=len(pairs),
        verbose=0,
    )
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    for row in probabilities:
        yield f"{model.labels[row.argmax()]}\t{row.max():.4f}"


def _batches(
    lines: Iterable[str], size: int
) -> Iterator[tuple[int, list[str]]]:
    """Yields (number of the first line, lines without their ends)."""
    clean = (line.rstrip("\r\n") for line in lines)
    start = 1
    while batch := list(itertools.islice(clean, size)):
        yield start, batch
        start += len(batch)


def _open_input(name: str) -> Any:
    if name == "-":
        return contextlib.nullcontext(sys.stdin)
    return open(name, encoding="utf-8")


@contextlib.contextmanager
def _open_output(name: str) -> Iterator[TextIO]:
    """Writes aside and renames at the end; `-` is standard output."""
    if name == "-":
        yield sys.stdout
        return
    path = pathlib.Path(name)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            yield file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main)
