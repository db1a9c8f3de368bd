"""Judges an export by everything that the model server would trip over."""

import dataclasses
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from dlfa_tf import files
from dlfa_tf import manifest
from dlfa_tf.lazy import tf
from dlfa_tf.serving.contract import MANIFEST
from dlfa_tf.serving.contract import METADATA
from dlfa_tf.serving.contract import SIGNATURES
from dlfa_tf.serving.contract import WARMUP
from dlfa_tf.serving.export import lint_rules
from dlfa_tf.serving.export import metadata_file
from dlfa_tf.serving.export import warmup
from dlfa_tf.serving.export.served_graph import ServedGraph
from dlfa_tf.serving.export.warmup import Request

# The server refuses a file with more.
_MAX_WARMUP_RECORDS = 1000
# From a signature, its inputs and an export's answers to what is wrong in them.
Compare = Callable[[str, dict[str, Any], dict[str, Any]], Iterable[str]]
# Sees a record's name, signature, inputs and answers.
_Look = Callable[[str, str, dict[str, Any], dict[str, Any]], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """What one rule demands (`checks`), and how an export breaks it.

    There are no `problems` when the rule is kept.
    """

    rule: str
    checks: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if not self.problems:
            return f"ok      {self.rule}: {self.checks}"
        lines = [f"FAILED  {self.rule}: {self.checks}"]
        return "\n".join([*lines, *(f"        - {p}" for p in self.problems)])


def check_export(
    folder: str | os.PathLike, compare: Compare | None = None
) -> list[Finding]:
    """Checks a version's folder by every rule; plays its warm-up records.

    Args:
        folder: path of the version's folder.
        compare: says of a signature, inputs and answers, both arrays by name,
            what is wrong in the answers; asked for every warm-up record.
            Defaults to no look at the answers.

    Returns:
        One `Finding` per rule, in a fixed order; the last, of the rule
        "answers", only with `compare`.

    Raises:
        FileNotFoundError: when the folder holds no SavedModel.
        ValueError: when the SavedModel is damaged or not tagged for serving.

    Example:
        from dlfa_tf.models import DLFATokenClassifier
        from dlfa_tf.serving import Client
        from dlfa_tf.serving import check_export
        from dlfa_tf.serving import export_saved_model

        model = DLFATokenClassifier.from_preset("tiny", labels=["UP", "LOW"])
        folder = export_saved_model(model, "saved_models/case")
        for finding in check_export(folder):
            print(finding)  # ok      files: sizes and check sums are ...
            assert not finding.problems
        with Client.of_export(folder) as client:
            client.tag(["Anna sleeps"])  # [[("Anna", "UP", 0.52), ...]]
            client.tag_words([["Anna", "sleeps"]])
            client.embed(["Anna sleeps"])  # one vector of floats
            client.signatures()["tag_words"]  # names of inputs and outputs
            client.status()  # {0: ("AVAILABLE", "")}
    """
    folder = files.user_path(folder, "folder")
    meta_graph = lint_rules.read_meta_graph(folder)
    metadata: dict[str, Any] = {}
    try:
        metadata = metadata_file.read_metadata(folder)
        about_metadata = list(lint_rules.metadata_problems(metadata))
    except (OSError, ValueError) as error:
        about_metadata = [str(error)]
    server = metadata.get("minimum_server_version", "unknown")
    kind = str(metadata.get("kind"))
    findings = [
        finding(
            "files",
            "sizes and check sums are those written",
            manifest.damage(folder, MANIFEST),
        ),
        finding("metadata", f"{METADATA} is whole", about_metadata),
        finding(
            "signatures",
            "names, types and ranks are the declared ones",
            lint_rules.signature_problems(meta_graph, kind),
        ),
        finding(
            "ops",
            f"all are in server {server}",
            lint_rules.op_problems(meta_graph),
        ),
        finding(
            "guards",
            "every string input meets a check of its rank first",
            lint_rules.guard_problems(meta_graph),
        ),
        finding(
            "variables",
            "those read are those stored, each once",
            lint_rules.variable_problems(meta_graph, folder),
        ),
    ]
    wrong: list[str] = []

    def look(record: str, signature: str, inputs: Any, answers: Any) -> None:
        if compare is not None:
            problems = compare(signature, inputs, answers)
            wrong.extend(f"{record}: {problem}" for problem in problems)

    played = _warmup_problems(folder, metadata, look)
    text = f"{WARMUP} asks every signature and is answered"
    findings.append(finding("warm-up", text, played))
    if compare is not None:
        text = "the session answers what the model does"
        findings.append(finding("answers", text, wrong))
    return findings


def finding(rule: str, checks: str, problems: Iterable[str]) -> Finding:
    """What a rule found; `problems` are looked for until there is none left."""
    return Finding(rule=rule, checks=checks, problems=tuple(problems))


def failures(findings: Iterable[Finding]) -> str:
    """The findings of the rules that are not kept, as text; "" for none."""
    return "\n".join(str(f) for f in findings if f.problems)


def _warmup_problems(
    folder: pathlib.Path, metadata: dict[str, Any], look: _Look
) -> Iterator[str]:
    try:
        requests = warmup.read_warmup(folder)
    except (OSError, ValueError) as error:
        yield str(error)
        return
    if len(requests) > _MAX_WARMUP_RECORDS:
        yield (
            f"{len(requests)} records; the server refuses more than "
            f"{_MAX_WARMUP_RECORDS}"
        )
    yield from _coverage_problems(requests, metadata)
    yield from _playing_problems(folder, requests, look)


def _coverage_problems(
    requests: list[Request], metadata: dict[str, Any]
) -> Iterator[str]:
    for name in sorted(SIGNATURES.get(str(metadata.get("kind")), {})):
        sizes = {
            len(next(iter(inputs.values())))
            for signature, inputs in requests
            if signature == name
        }
        for size in sorted({1, metadata.get("max_batch_size", 1)} - sizes):
            yield f"signature {name!r} is not asked with a batch of {size}"


def _playing_problems(
    folder: pathlib.Path, requests: list[Request], look: _Look | None = None
) -> Iterator[str]:
    try:
        graph = ServedGraph(folder)
    except (OSError, ValueError, tf.errors.OpError) as error:
        yield f"the SavedModel cannot be loaded: {_first_line(error)}"
        return
    try:
        for number, (signature, inputs) in enumerate(requests, start=1):
            record = f"record {number} (signature {signature!r})"
            try:
                answers = graph.run(signature, inputs)
            except (KeyError, ValueError, tf.errors.OpError) as error:
                yield f"{record} is answered by an error: {_first_line(error)}"
                continue
            if look is not None:
                look(record, signature, inputs, answers)
    finally:
        graph.close()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
