"""Looks at the data of a task for what makes scores wrong, or worth a look.

Nothing is changed, and nothing is read but what training and evaluation read.
"""

import collections
import contextlib
import dataclasses
import hashlib
import itertools
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from dlfa_tf import words
from dlfa_tf.data import label_schemes
from dlfa_tf.data import readers
from dlfa_tf.data import scripts
from dlfa_tf.data import sources
from dlfa_tf.data.readers import Examples
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import SPLITS
from dlfa_tf.data.task import Task

# Share of test items that stand in the training data from which scores are
# wrong; the published PAN-X has 1.8 % in English.
LEAK_SHARE = 0.02
# Share from which broken tags make F1 wrong (the published PAN-X has up to
# 0.9 %), and duplicates are worth a word.
WRONG_SHARE = 0.01
# Share of letters below which a text is not of its language.
SCRIPT_SHARE = 0.5
# Share of unknown words or long items that is worth a word.
_MANY = 0.1
# Items of fewer words or characters are alike by chance ("Thank you .").
_LEAST_WORDS = 5
_LEAST_CHARACTERS = 20
# Items from which one label for all is no chance.
_MANY_ITEMS = 20
_SHOWN = 3
_FILES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about the data.

    Attributes:
        is_wrong: bool, whether scores would be wrong because of it; otherwise
            it is worth a look.
        what: str, kind of finding, such as `"labels"`.
        text: str, a sentence with the numbers.
    """

    is_wrong: bool
    what: str
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileCheck:
    """What was counted in a split of a language.

    Attributes:
        split: str.
        language: str.
        examples: int.
        labels: dict, words or texts by label, those of the task first.
        duplicates: int, items that the file has already had.
        in_train: int, items that stand in the training data, too; None for
            training data.
        alike: int, those of them that are too long to be alike by chance.
        short: int, items of at most one character.
        broken: int, tags that cannot follow those before them; None without
            a scheme.
        script_share: float or None, letters of the language's scripts among
            all letters; None where the scripts are not known.
        pieces: dict of numbers about pieces, see `doctor_pieces`; None without
            a tokenizer.
    """

    split: str
    language: str
    examples: int
    labels: dict[str, int]
    duplicates: int
    in_train: int | None
    alike: int
    short: int
    broken: int | None
    script_share: float | None
    pieces: dict[str, float] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checkup:
    """All of it: `files` in order of splits and languages, and `findings`."""

    task: Task
    files: tuple[FileCheck, ...]
    findings: tuple[Finding, ...]

    @property
    def is_wrong(self) -> bool:
        """Whether scores would be wrong."""
        return any(finding.is_wrong for finding in self.findings)


class _AnyLabel(tuple):
    """Labels of a task that hold every name, to read on at an unknown one."""

    def __contains__(self, _: Any) -> bool:
        return True


def check_data(
    source: Source,
    count_pieces: Callable[[Examples], dict[str, float]] | None = None,
    languages: Collection[str] | None = None,
) -> Checkup:
    """Reads all that a source holds and says what is wrong with it.

    A file that cannot be read is a finding; the others are looked at all the
    same.

    Args:
        source: `Source`.
        count_pieces: that of `doctor_pieces`, for a tokenizer. Defaults to
            `None`: no pieces are counted.
        languages: codes of those to look at. Training data that they are
            compared with are read besides, and nothing is said of them.
            Defaults to `None`: all.

    Returns:
        `Checkup`.

    Raises:
        ValueError: for a language that the source does not know.
        FileNotFoundError: when one has no file.
    """
    task = source.task
    if languages is not None:
        _check_languages(source, languages)
    lenient = dataclasses.replace(
        source, task=dataclasses.replace(task, labels=_AnyLabel(task.labels))
    )
    findings = [_unlabelled(source)] if source.unlabelled("test") else []
    files: list[FileCheck] = []
    others: list[FileCheck] = []
    trained: set[bytes] = set()
    for split, language, examples in _load_all(lenient, findings, languages):
        asked = languages is None or language in languages
        keys = [_key(example) for example in examples]
        if split == "train" and language in task.source_languages:
            trained.update(keys)
        is_train = split == "train"
        shared = [
            example
            for example, key in zip(examples, keys, strict=True)
            if not is_train and key in trained
        ]
        (files if asked else others).append(
            FileCheck(
                split=split,
                language=language,
                examples=len(examples),
                labels=_labels(examples, task),
                duplicates=len(keys) - len(set(keys)),
                in_train=None if is_train else len(shared),
                alike=sum(map(_is_long, shared)),
                short=sum(map(_is_short, examples)),
                broken=_broken(examples, task),
                script_share=scripts.share_of_script(
                    language, (x for e in examples for x in readers.texts_of(e))
                ),
                pieces=(
                    count_pieces(examples) if count_pieces and asked else None
                ),
            )
        )
    if not files and not findings:
        findings.append(_nothing(source))
    findings += judge_files(task, files, others)
    order = sorted(findings, key=lambda finding: not finding.is_wrong)
    return Checkup(task=task, files=tuple(files), findings=tuple(order))


def _check_languages(source: Source, languages: Collection[str]) -> None:
    """Refuses languages that are not there."""
    there: set[str] = set()
    for split in SPLITS:
        # What cannot be read is a finding, later.
        with contextlib.suppress(ValueError):
            there.update(source.available(split))
    for language in languages:
        sources.check_language(language, source)
        if language not in there:
            raise FileNotFoundError(
                f"No file of task {source.task.name!r} is of the language. "
                f"Received: {language!r} in {str(source.folder)!r}. Accepted: "
                f"those that have a file, {sorted(there)}."
            )


def _load_all(
    source: Source,
    findings: list[Finding],
    languages: Collection[str] | None = None,
) -> Iterator[tuple[str, str, Examples]]:
    """Yields what can be read; the rest becomes findings."""
    for split in SPLITS:
        found: tuple[str, ...] = ()
        try:
            found = source.available(split)
        except ValueError as error:
            _add_unread(findings, error)
        for language in found:
            compared = (
                split == "train" and language in source.task.source_languages
            )
            if not (compared or languages is None or language in languages):
                continue
            try:
                yield split, language, source.load(split, language)
            except ValueError as error:
                _add_unread(findings, error)


def _add_unread(findings: list[Finding], error: ValueError) -> None:
    finding = Finding(is_wrong=True, what="file", text=str(error))
    # A file with rows of several splits is looked at for each.
    if finding not in findings:
        findings.append(finding)


def _unlabelled(source: Source) -> Finding:
    names = ", ".join(source.unlabelled("test"))
    return Finding(
        is_wrong=False,
        what="labels",
        text=f"Test files without labels: {names}; " + readers.LABELS_COME_FROM,
    )


def _nothing(source: Source) -> Finding:
    return Finding(
        is_wrong=True,
        what="file",
        text=f"No data of task {source.task.name!r} in {str(source.folder)!r}.",
    )


def _key(example: Any) -> bytes:
    """What two equal items have in common, white space aside; 16 bytes."""
    texts = readers.texts_of(example)
    joined = "\t".join(" ".join(words.split_words(text)) for text in texts)
    return hashlib.blake2b(joined.encode(), digest_size=16).digest()


def _is_long(example: Any) -> bool:
    texts = readers.texts_of(example)
    found = [word for text in texts for word in words.split_words(text)]
    return (
        len(found) >= _LEAST_WORDS and sum(map(len, found)) >= _LEAST_CHARACTERS
    )


def _is_short(example: Any) -> bool:
    texts = readers.texts_of(example)
    if isinstance(example, TaggedSentence):
        return sum(map(len, texts)) <= 1
    return any(len(words.strip_space(text)) <= 1 for text in texts)


def _labels(examples: Examples, task: Task) -> dict[str, int]:
    found: collections.Counter[str] = collections.Counter()
    for example in examples:
        if isinstance(example, TaggedSentence):
            found.update(example.tags)
        else:
            found[example.label] += 1
    known = {label: found[label] for label in task.label_names}
    return known | {x: n for x, n in sorted(found.items()) if x not in known}


def _broken(examples: Examples, task: Task) -> int | None:
    scheme = label_schemes.scheme_of(task)
    if scheme is None:
        return None
    return sum(
        label_schemes.count_broken(example.tags, scheme)
        for example in examples
        if isinstance(example, TaggedSentence)
    )


def judge_files(
    task: Task, files: Sequence[FileCheck], others: Sequence[FileCheck] = ()
) -> list[Finding]:
    """What the counts of all files mean.

    Args:
        task: `Task`.
        files: what was counted.
        others: what was counted in training data that `files` are compared
            with, without being judged. Defaults to `()`.

    Returns:
        list of `Finding`.
    """
    found: list[Finding] = []
    train = [
        x
        for x in (*others, *files)
        if x.split == "train" and x.language in task.source_languages
    ]
    seen = {k for x in train for k, n in x.labels.items() if n}
    for file in files:
        found += _judge_labels(task, file, seen if train else None)
    measures = [x for file in files for x in _measure_items(task, file)]
    found += _gathered(
        [*measures, *itertools.chain(*map(_measure_pieces, files))]
    )
    found += [x for file in files for x in _judge_script(file)]
    if task.parallel:
        found += _judge_parallel(files)
    return found


class _Measure(NamedTuple):
    """A share of a file's items that is worth a word, or more than that."""

    is_wrong: bool
    what: str
    sentence: str
    name: str
    share: float
    numbers: str


def _gathered(measures: Sequence[_Measure]) -> list[Finding]:
    """One finding for all files of which the same is to be said."""
    groups: dict[tuple[bool, str, str], list[_Measure]] = {}
    for measure in measures:
        groups.setdefault(measure[:3], []).append(measure)
    found = []
    for (is_wrong, what, sentence), members in groups.items():
        members.sort(key=lambda x: -x.share)
        shown = ", ".join(f"{x.name} {x.numbers}" for x in members[:_FILES])
        more = len(members) - _FILES
        text = f"{sentence}: {shown}" + (
            f" and {more} more files." if more > 0 else "."
        )
        found.append(Finding(is_wrong=is_wrong, what=what, text=text))
    return found


def _judge_labels(
    task: Task, file: FileCheck, seen: set[str] | None
) -> Iterator[Finding]:
    name = f"{file.split}-{file.language}"
    unknown = {
        label: n
        for label, n in file.labels.items()
        if label not in task.label_names
    }
    if unknown:
        yield Finding(
            is_wrong=True,
            what="labels",
            text=f"{name}: {_listed(unknown)} are no labels of the task. "
            f"Accepted: {list(task.label_names)}.",
        )
    given = {k: n for k, n in file.labels.items() if n}
    if len(given) == 1 and file.examples > 1:
        yield Finding(
            is_wrong=file.split == "test" and file.examples >= _MANY_ITEMS,
            what="labels",
            text=f"{name}: all have the label {next(iter(given))!r}.",
        )
    if seen is None:
        return
    if file.split == "train":
        missing = [x for x in task.label_names if x not in seen]
        if missing and file.language in task.source_languages:
            yield Finding(
                is_wrong=False,
                what="labels",
                text=f"{name}: no item has {missing}, which no model will "
                "learn.",
            )
        return
    never = {
        k: n for k, n in given.items() if k not in seen and k not in unknown
    }
    if never:
        yield Finding(
            is_wrong=False,
            what="labels",
            text=f"{name}: {_listed(never)} do not occur in the training data.",
        )


def _measure_items(task: Task, file: FileCheck) -> Iterator[_Measure]:
    name = f"{file.split}-{file.language}"
    items = max(file.examples, 1)

    def measure(
        is_wrong: bool, what: str, sentence: str, count: int, of: int = items
    ) -> _Measure:
        share = count / max(of, 1)
        numbers = f"{count} of {of} ({share:.1%})"
        return _Measure(is_wrong, what, sentence, name, share, numbers)

    if file.in_train:
        yield measure(
            file.split == "test" and file.alike >= LEAK_SHARE * items,
            "overlap",
            "Items that stand in the training data, too",
            file.in_train,
        )
    if file.duplicates >= WRONG_SHARE * items:
        yield measure(
            False,
            "duplicates",
            "Items that the file has already had",
            file.duplicates,
        )
    if file.broken:
        tags = sum(n for k, n in file.labels.items() if k != "O")
        yield measure(
            file.split != "train" and file.broken >= WRONG_SHARE * tags,
            "scheme",
            f"Tags, of those other than O, that break "
            f"{label_schemes.scheme_of(task)} (they cannot follow the one "
            "before, or leave an entity open)",
            file.broken,
            tags,
        )
    if file.short:
        yield measure(
            False, "short", "Items with a text of at most one character",
            file.short,
        )  # fmt: skip


def _judge_script(file: FileCheck) -> Iterator[Finding]:
    share = file.script_share
    if share is not None and share < SCRIPT_SHARE:
        yield Finding(
            is_wrong=True,
            what="script",
            text=f"{file.split}-{file.language}: {share:.0%} of the letters "
            f"are of the script of {file.language!r} "
            f"({scripts.names_of_scripts(file.language)}). The file may be of "
            "another language.",
        )


def _measure_pieces(file: FileCheck) -> Iterator[_Measure]:
    if file.pieces is None:
        return
    for what, sentence in (
        ("unknown_words", "Words with pieces that the vocabulary does not have "
         "(from 50% on the encoder does not know the script)"),
        ("long_items", "Items longer than a row"),
    ):  # fmt: skip
        share = file.pieces[what]
        if share >= _MANY:
            name = f"{file.split}-{file.language}"
            yield _Measure(
                False, "pieces", sentence, name, share, f"{share:.0%}"
            )


def _judge_parallel(files: Sequence[FileCheck]) -> Iterator[Finding]:
    for split in ("dev", "test"):
        counts = {x.language: x.examples for x in files if x.split == split}
        if len(set(counts.values())) > 1:
            usual = collections.Counter(counts.values()).most_common(1)[0][0]
            others = {k: n for k, n in counts.items() if n != usual}
            yield Finding(
                is_wrong=False,
                what="parallel",
                text=f"{split}: row i is to be one text in all languages; "
                f"not all have {usual} rows: {_listed(others)}.",
            )


def _listed(counts: dict[str, int]) -> str:
    shown = list(counts.items())[:_SHOWN]
    text = ", ".join(f"{name!r} ({n})" for name, n in shown)
    more = len(counts) - len(shown)
    return f"{text} and {more} more" if more else text
