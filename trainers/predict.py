r"""Labels text: one line in, one line out.

Taggers read a sentence per line and write `word/TAG word/TAG ...`; of a .tsv,
.conll or .conllu file they read a word per line, sentences ending at empty
lines, and write `word TAB tag`. Classifiers read a text per line, or `first TAB
second` if they were trained on pairs, and write `label TAB probability`. JSON
lines hold `text` or `words`, or `first` and `second`. A line that cannot be
read is reported with its number, answered by an empty line, and makes the exit
code 1.

Example:
    echo "Der Fluss ist hoch ." | python -m trainers.predict \
        --model=runs/pos-D_9
    python -m trainers.predict --server=127.0.0.1:8500 --name=pos \
        --input=texts.jsonl --output=tagged.jsonl
    python -m trainers.predict --model=saved_models/pos \
        --runner=tcp://127.0.0.1:8786 --input='parts/*.txt' --output=tagged
"""

import contextlib
import functools
import itertools
import os
import pathlib
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import TextIO

from absl import flags

from dlfa_tf import files
from trainers import common_flags
from trainers import input_forms
from trainers import text_files

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "model",
    "server",
    "name",
    "input",
    "output",
)


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string(
        "model",
        None,
        "Run folder, saved task preset, or export (a version's folder or that "
        "of the model).",
    )
    common_flags.define_import_flag()
    flags.DEFINE_string(
        "server",
        None,
        "Model server to ask: HOST:PORT (gRPC) or http://HOST:PORT (REST).",
    )
    flags.DEFINE_string("name", None, "Name of the model in the server.")
    flags.DEFINE_float(
        "timeout", 30.0, "Seconds that the server has per batch.", 0.001
    )
    flags.DEFINE_string(
        "ca_file",
        None,
        "PEM file of the authority that signed the server's certificate, for "
        "TLS over gRPC.",
    )
    flags.DEFINE_string(
        "input",
        "-",
        "UTF-8 text file, plain, .gz or .bz2, one example per line; - reads "
        "stdin.",
    )
    flags.DEFINE_string(
        "output",
        "-",
        "File to write; must not exist; .gz or .bz2 compresses; - writes "
        "stdout.",
    )
    common_flags.define_choice(
        "input_format",
        "auto",
        input_forms.FORMS,
        "Form of input and output; `auto` goes by the ending (.jsonl, .tsv, "
        ".conll, .conllu) and refuses what plainly is no text.",
    )
    flags.DEFINE_integer("batch_size", 32, "Examples per step.", lower_bound=1)
    flags.DEFINE_bool("strict", False, "Stop at a line that cannot be read.")
    flags.DEFINE_string(
        "runner",
        None,
        "For input of any size, done part by part and gone on with after an "
        "interruption: local (this process) or the address of a Dask "
        "scheduler, tcp://HOST:PORT; --input is then a pattern, --output a "
        "folder.",
    )
    flags.DEFINE_list(
        "beam_options", [], "Not used any more: no runner of Apache Beam is."
    )
    flags.register_multi_flags_validator(
        ["model", "server", "name"],
        lambda f: (
            bool(f["model"]) != bool(f["server"])
            and bool(f["server"]) == bool(f["name"])
        ),
        message="Accepted: --model alone, or --server and --name together.",
    )
    flags.register_multi_flags_validator(
        ["server", "ca_file"],
        lambda f: (
            not f["ca_file"]
            or bool(f["server"] and not f["server"].startswith("http"))
        ),
        message="--ca_file is for --server=HOST:PORT (gRPC). REST takes the "
        "system's authorities, or those of SSL_CERT_FILE.",
    )
    flags.register_multi_flags_validator(
        ["runner", "model", "input", "output"],
        lambda f: (
            not f["runner"]
            or (f["model"] and f["input"] != "-" and f["output"] != "-")
        ),
        message="--runner needs --model (an export), --input and --output.",
    )
    flags.register_validator("runner", _check_runner)
    flags.register_validator(
        "beam_options",
        lambda options: not options,
        message="Runners of Apache Beam are no longer used. Accepted: "
        "--runner=local, or the address of a Dask scheduler.",
    )
    # A model has no deadline.
    common_flags.refuse_without("server", "timeout")
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Labels what `--input` holds."""
    from dlfa_tf.serving.client.errors import ServingError

    try:
        _run_in_parts() if FLAGS.runner else _run()
    except ServingError as error:
        asked = FLAGS.server or FLAGS.model
        raise ConnectionError(f"{asked} answered {error}") from error


def _run() -> None:
    """Opens input and labeller, labels batch by batch."""
    if FLAGS.output != "-":
        path = pathlib.Path(FLAGS.output)
        if os.path.lexists(path):
            raise FileExistsError(
                f"`output` exists and is never overwritten. Received: "
                f"{FLAGS.output!r}. Accepted: a new file name."
            )
        files.check_can_be_made(path.parent, "output", path)
    with _open_input(FLAGS.input) as lines:
        # Not at the top: a wrong flag should not wait for TensorFlow.
        from trainers import labellers

        common_flags.import_modules()
        labeller, kind = (
            labellers.open_server(
                FLAGS.server,
                FLAGS.name,
                FLAGS.timeout,
                FLAGS.batch_size,
                FLAGS.ca_file,
            )
            if FLAGS.server
            else labellers.open_model(FLAGS.model, FLAGS.batch_size)
        )
        with (
            contextlib.closing(labeller),
            _open_output(FLAGS.output) as output,
        ):
            bad = _label(labeller, kind, lines, output)
    if bad:
        raise ValueError(
            f"{len(bad)} line(s) could not be read and have no label; the "
            f"first is line {bad[0]}. The others were labelled."
        )


def _label(
    labeller: Any, kind: str, lines: Iterable[bytes], output: TextIO
) -> list[int]:
    """Writes one line per line; returns the numbers of those not read."""
    label_batch, batches = _form_of_work(labeller, kind, lines)
    bad: list[int] = []
    with _progress() as advance:
        start = 1
        for batch, count in batches:

            def report(index: int, message: str, start: int = start) -> None:
                text = f"Input line {start + index}: {message}"
                if FLAGS.strict:
                    raise ValueError(text)
                sys.stderr.write(text + "\n")
                bad.append(start + index)

            for line in label_batch(batch, report):
                output.write(line + "\n")
            output.flush()
            advance(count)
            start += count
    return bad


def _form_of_work(
    labeller: Any, kind: str, lines: Iterable[bytes]
) -> tuple[Any, Iterator[tuple[list[Any], int]]]:
    """What labels a batch, and the batches with their numbers of lines."""
    from dlfa_tf.serving.bulk import lines as text_lines
    from dlfa_tf.serving.bulk import word_lines

    rest, size = iter(lines), FLAGS.batch_size
    first = list(itertools.islice(rest, min(size, input_forms.PEEKED)))
    form = input_forms.find_form(FLAGS.input_format, FLAGS.input, kind, first)
    lines = itertools.chain(first, rest)
    if form in word_lines.WORD_FORMS:
        found = _batches(word_lines.sentences(lines), size)
        label = functools.partial(
            word_lines.label_word_lines, labeller, form=form
        )
        return label, ((batch, sum(map(len, batch))) for batch in found)
    return functools.partial(text_lines.label_lines, labeller, kind, form), (
        (batch, len(batch)) for batch in _batches(lines, size)
    )


def _check_runner(runner: str | None) -> bool:
    if runner is not None:
        # Not at the top: most uses have no runner.
        from dlfa_tf.serving.bulk import labelling

        try:
            labelling.check_runner(runner)
        except ValueError as error:
            raise flags.ValidationError(str(error)) from None
    return True


def _run_in_parts() -> None:
    """Labels files of any size, here or on a cluster."""
    from dlfa_tf.serving.bulk import labelling
    from dlfa_tf.serving.bulk import lines as text_lines
    from dlfa_tf.serving.client import graph_transport
    from dlfa_tf.serving.export import metadata_file

    export = graph_transport.find_export(FLAGS.model)
    if export is None:
        raise FileNotFoundError(
            f"{FLAGS.model!r} holds no export. Accepted: a folder written by "
            "`trainers.export`."
        )
    kind = metadata_file.read_metadata(export)["kind"]
    form = input_forms.find_form(FLAGS.input_format, FLAGS.input, kind)
    if form not in text_lines.FORMS:
        raise ValueError(
            "A runner cuts files at any line, a sentence of a word per line "
            f"must stay whole. Received: --runner with the form {form}. "
            "Accepted: a sentence per line, or JSON lines."
        )
    done = labelling.label_files(
        FLAGS.input,
        FLAGS.output,
        str(export),
        form=form,
        batch_size=FLAGS.batch_size,
        strict=FLAGS.strict,
        runner=FLAGS.runner,
    )
    common_flags.say(
        f"{done.lines} lines now; {done.parts} parts under {FLAGS.output} "
        f"({done.kept} parts were there already)"
    )
    if done.bad:
        raise ValueError(
            f"{done.bad} line(s) could not be read and have no label; the "
            "files bad-*.txt name them."
        )


@contextlib.contextmanager
def _progress() -> Iterator[Any]:
    """Shows how many lines are done, where somebody is watching."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress
    from rich.progress import TimeElapsedColumn

    with Progress(
        "lines",
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        job = progress.add_task("", total=None)
        yield lambda count: progress.advance(job, count)


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yields lists of so many items, the last one of fewer."""
    rest = iter(items)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def _open_input(
    name: str,
) -> contextlib.AbstractContextManager[Iterable[bytes]]:
    """Opens bytes: a line that is no UTF-8 must not end the others."""
    if name == "-":
        return contextlib.nullcontext(text_files.without_mark(sys.stdin.buffer))
    return text_files.open_lines(name)


def _open_output(name: str) -> contextlib.AbstractContextManager[TextIO]:
    """Opens the file for the labels; `-` is standard output."""
    if name == "-":
        return contextlib.nullcontext(sys.stdout)
    return text_files.create_text(name)


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
