r"""Shows what a model says of any text, on a page of this machine.

Words with their tags, or the label of a text or pair, with probabilities; of a
fused system also how much comes from the lower block. --compare sets a second
model beside the first. The page is at 127.0.0.1 and answers nobody else.

Example:
    python -m trainers.show --model=runs/demo/pos/D_9 \
        --compare=runs/demo/pos/baseline
"""

import contextlib
import pathlib
import signal
import webbrowser
from typing import Any

from absl import flags

from trainers import common_flags

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "model",
    "compare",
    "port",
    "browser",
)


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string(
        "model",
        None,
        "Run folder, saved task preset, or export. An export does not say how "
        "much comes from the lower block.",
        required=True,
    )
    flags.DEFINE_string(
        "compare", None, "A second model of the same kind, shown beside it."
    )
    flags.DEFINE_integer(
        "port",
        8700,
        "Port of the page; 0 for any that is free.",
        lower_bound=0,
        upper_bound=65535,
    )
    flags.DEFINE_bool("browser", False, "Open the page in the web browser.")
    common_flags.define_import_flag()
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Serves the page until it is interrupted."""
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.serving.show import page_server

    common_flags.import_modules()
    names = [FLAGS.model] + ([FLAGS.compare] if FLAGS.compare else [])
    answerers = [_open(name) for name in names]
    with page_server.PageServer(
        answerers, FLAGS.port, _examples(answerers[0].about)
    ) as server:
        # Also where a script has started it, which makes Ctrl-C ignored.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        common_flags.say(f"{server.url} shows it; Ctrl-C or SIGTERM ends it")
        if FLAGS.browser:
            webbrowser.open(server.url)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
        signal.signal(signal.SIGTERM, before)


def _open(folder: str) -> Any:
    """What answers for an export, a run or a preset."""
    from dlfa_tf.serving.client import graph_transport
    from dlfa_tf.serving.show import answers

    common_flags.say(f"Loading {folder}")
    export = (
        graph_transport.find_export(folder)
        if pathlib.Path(folder).is_dir()
        else None
    )
    if export is not None:
        return answers.ExportAnswers(export, folder)
    from dlfa_tf.runs import load

    return answers.ModelAnswers(load.load_model(folder), folder)


def _examples(about: Any) -> list[tuple[str, list[str]]]:
    """A text or pair of every language of the sample, by the labels."""
    from dlfa_tf.data import sources
    from dlfa_tf.data import tasks

    task = next(
        (
            task
            for task in tasks.TASKS.values()
            if set(task.label_names) == set(about["labels"] or ())
        ),
        tasks.get_task("pos" if about["kind"] == "tagger" else "xnli"),
    )
    source = sources.Source(task=task, name="sample")
    found = []
    for language in source.available("test"):
        example: Any = source.load("test", language, limit=1)[0]
        texts = (
            [" ".join(example.words)]
            if task.kind == "tagging"
            else [example.first, example.second]
        )
        if about["kind"] == "single_classifier":
            del texts[1:]
        found.append((language, texts))
    return found


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
