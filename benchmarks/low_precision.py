r"""What exports in fewer bits cost in score, language by language.

A trained model is exported in float32, bfloat16, int8 (weights only) and int8
that computes in bfloat16, and every export is asked the dev files of all
languages there, as a server would be. A line per language and export: score,
its change against float32, and the share of labels (of texts, or of words) that
are those of float32.

Example:
    python -m benchmarks.low_precision --model=runs/pos-D_9 --task=pos \
        --data_dir=DIR --limit=200
"""

import itertools
import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import flags

from benchmarks import timing
from dlfa_tf.data import Source
from dlfa_tf.data import get_task
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.runs import load
from dlfa_tf.scoring import score
from dlfa_tf.serving import Client
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.export import dequantised_weights

FLAGS = flags.FLAGS
# Numbers to compute in, and whether weights are stored in int8.
EXPORTS = {
    "float32": ("float32", False),
    "bfloat16": ("bfloat16", False),
    "int8": ("float32", True),
    "int8, bfloat16": ("mixed_bfloat16", True),
}
_FIRST = "float32"
_BATCH = 32


def define_flags() -> None:
    """Defines the flags of this program."""
    timing.define_output_flag()
    flags.DEFINE_string("model", None, "Run or preset folder of the model.")
    flags.DEFINE_string("task", None, "Task that it was trained for.")
    flags.DEFINE_string(
        "data_dir", None, "Folder of the data; default the package's sample."
    )
    flags.DEFINE_enum("split", "dev", ("dev", "test"), "Files to be scored.")
    flags.DEFINE_list("languages", ["all"], "Languages; `all` are those there.")
    flags.DEFINE_integer(
        "limit", 0, "Examples of each language, from the start; 0 is all.", 0
    )
    flags.mark_flags_as_required(["model", "task"])


def export(folder: pathlib.Path, dtype: str, in_int8: bool) -> pathlib.Path:
    """Exports the model; returns the version's folder."""
    model = load.load_model(FLAGS.model, dtype)
    if in_int8:
        model.quantize(config=dequantised_weights.weights_only())
    return export_saved_model(model, folder, max_batch_size=1)


def labels_of(client: Client, examples: Sequence[Any]) -> list[Any]:
    """One label, or one list of tags, of every example."""
    found: list[Any] = []
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        if isinstance(batch[0], TaggedSentence):
            tagged = client.tag_words([list(x.words) for x in batch])
            found.extend([word.tag for word in words] for words in tagged)
        elif isinstance(batch[0], PairExample):
            firsts, seconds = ([getattr(x, name) for x in batch]
                               for name in ("first", "second"))  # fmt: skip
            found.extend(x.label for x in client.classify(firsts, seconds))
        else:
            texts = client.classify([x.text for x in batch])
            found.extend(x.label for x in texts)
    return found


def equal_share(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """Share of labels, of words where there are lists of them, that agree."""

    def flat(labels: Sequence[Any]) -> list[str]:
        rows = ([x] if isinstance(x, str) else x for x in labels)
        return list(itertools.chain.from_iterable(rows))

    pairs = list(zip(flat(found), flat(wanted), strict=True))
    return sum(a == b for a, b in pairs) / len(pairs)


def mean(values: Sequence[float]) -> float:
    """Unweighted mean."""
    return sum(values) / len(values)


def main(_: Sequence[str] = ()) -> None:
    """Exports the model four times, asks every export, writes the report."""
    report = timing.Report("low_precision", FLAGS.output_file)
    task = get_task(FLAGS.task)
    name = "sample" if FLAGS.data_dir is None else "files"
    source = Source(task=task, name=name, data_dir=FLAGS.data_dir)
    languages = FLAGS.languages
    if languages == ["all"]:
        languages = source.available(FLAGS.split)
    lines: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        clients = {
            case: Client.of_export(
                export(pathlib.Path(folder, str(number)), *how)
            )
            for number, (case, how) in enumerate(EXPORTS.items())
        }
        for language in languages:
            examples = source.load(
                FLAGS.split, language, limit=FLAGS.limit or None
            )
            wanted: list[Any] = []
            for case, client in clients.items():
                found = labels_of(client, examples)
                wanted = wanted or found
                line = {
                    "score": score.score(task, examples, found)["score"],
                    "equal_labels_share": equal_share(found, wanted),
                }
                first = lines.get(_FIRST, [line])[-1]
                if case == _FIRST:
                    first = line
                line["change_of_score"] = line["score"] - first["score"]
                lines.setdefault(case, []).append(line)
                report.add(
                    f"{language}, {case}", examples=len(examples), **line
                )
        for client in clients.values():
            client.close()
    for case, found in lines.items():
        report.add(
            f"mean of {len(found)} languages, {case}",
            **{key: mean([line[key] for line in found]) for key in found[0]},
        )
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
