"""XTREME-like files -> Python examples, strict about malformed input.

Files are named `{split}-{lang}.tsv` or `{split}-{lang}.tsv.gz`, hold UTF-8
without a header and are split at TAB only. Texts of pairs lose the quotes that
a csv writer has put around them, as XTREME's did; other quotes are literal.
What other people's files hold, `dlfa_tf.data.formats` reads.
"""

import dataclasses
import pathlib
import sys
from collections.abc import Sequence

from dlfa_tf import checks
from dlfa_tf import words
from dlfa_tf.data.formats import text_lines

# Characters of a received value that an error message shows.
_SHOWN = 80
# What XTREME's preprocessing writes for a tag that a file does not have.
_DUMMIES = ("O", "X")
LABELS_COME_FROM = (
    "trainers.prepare --originals_dir writes test files with labels from what "
    "the makers of the data ship, and --eval_split=dev scores dev files; see "
    "docs/data.md, 'Getting the data'."
)


@dataclasses.dataclass(frozen=True, slots=True)
class TextExample:
    """A text and its label name.

    Example:
        from dlfa_tf.data import TextExample

        TextExample(text="Das Zimmer war sauber.", label="positive")
    """

    text: str
    label: str


@dataclasses.dataclass(frozen=True, slots=True)
class PairExample:
    """Two texts and their label name.

    Example:
        from dlfa_tf.data import PairExample

        PairExample(first="Er ist da.", second="Er ist weg.", label="0")
    """

    first: str
    second: str
    label: str


@dataclasses.dataclass(frozen=True, slots=True)
class TaggedSentence:
    """Words of a sentence and one tag name per word.

    Raises:
        ValueError: when there are more or fewer tags than words.

    Example:
        from dlfa_tf.data import TaggedSentence

        TaggedSentence(words=("Hunde", "bellen"), tags=("NOUN", "VERB"))
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.words) != len(self.tags):
            raise ValueError(
                "`words` and `tags` must be equally long. Received: "
                f"{len(self.words)} words and {len(self.tags)} tags, "
                f"beginning with {self.words[:5]}."
            )


Examples = (
    Sequence[TextExample] | Sequence[PairExample] | Sequence[TaggedSentence]
)


def texts_of(
    example: TextExample | PairExample | TaggedSentence,
) -> tuple[str, ...]:
    """The one or two texts of an example, or the words of a sentence."""
    if isinstance(example, TextExample):
        return (example.text,)
    if isinstance(example, PairExample):
        return (example.first, example.second)
    return example.words


def find_file(folder: pathlib.Path, split: str, language: str) -> pathlib.Path:
    """Finds the file of a split and language, plain or gzipped.

    FileNotFoundError names both forms, and what the folder holds.
    """
    names = [f"{split}-{language}.tsv", f"{split}-{language}.tsv.gz"]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    if not folder.is_dir():
        raise FileNotFoundError(
            f"The data folder {str(folder)!r} does not exist. Expected a "
            f"folder with {names[0]} or {names[1]}."
        )
    found = sorted(path.name for path in folder.iterdir())[:12]
    raise FileNotFoundError(
        f"No {split} file for language {language!r} in {str(folder)!r}. "
        f"Expected {names[0]} or {names[1]}. The folder begins with: {found}."
    )


def checked_label(
    label: str, labels: Sequence[str], path: pathlib.Path, number: int
) -> str:
    """Returns the label, one object however many examples have it."""
    if label not in labels:
        raise ValueError(
            f"{path}, line {number}: unknown label. Received: "
            f"{label[:_SHOWN]!r}. Accepted: {list(labels)}."
            + checks.nearest_hint(label[:_SHOWN], labels)
        )
    return sys.intern(label)


def _refuse_unlabelled(
    path: pathlib.Path, num_columns: int, accepted: str
) -> None:
    """Explains a test file whose labels XTREME's script left out.

    `num_columns` is that of a row without its label; `accepted` says what a row
    should hold.
    """
    if not path.name.startswith("test-"):
        return
    for _, line in text_lines.read_lines(path):
        columns = line.split("\t")
        # Words have no spaces in XTREME; rows that are split at them do.
        if len(columns) != num_columns or (num_columns == 1 and " " in line):
            return
    raise ValueError(
        f"{path}: a test file without labels, {num_columns} column(s) in "
        "every line. XTREME's download script removes the labels of test "
        f"files. Accepted: rows of {accepted}, separated by TAB; "
        + LABELS_COME_FROM
    )


def has_labels(path: pathlib.Path, num_columns: int) -> bool:
    """Whether the first row of a file has a label as its last column.

    `num_columns` counts the label in. True for a file without rows, whose error
    is another one.
    """
    for _, line in text_lines.read_lines(path):
        if not words.is_blank_row(line):
            # Words have no spaces in XTREME; rows that are split at them do.
            return len(line.split("\t")) != num_columns - 1 or (
                num_columns == 2 and " " in line
            )
    return True


def _refuse_dummies(
    path: pathlib.Path, sentences: Sequence[TaggedSentence]
) -> None:
    """Refuses a test file whose tags stand in for those that are not there.

    XTREME's preprocessing writes `O` or `X` for every tag of a test file.
    """
    if not path.name.startswith("test-"):
        return
    found = {tag for sentence in sentences for tag in sentence.tags}
    if len(found) == 1 and found <= set(_DUMMIES):
        raise ValueError(
            f"{path}: the tag of every word is {found.pop()!r}, which stands "
            "in for the tags that XTREME removes from test files: scores on "
            "it would mean nothing. Accepted: a test file with its own tags; "
            + LABELS_COME_FROM
        )


def read_pairs(path: pathlib.Path, labels: Sequence[str]) -> list[PairExample]:
    """Reads a file of `first TAB second TAB label` rows, plain or gzipped.

    The order is that of the file. A row that is not like this, an unknown
    label, bytes that are not UTF-8 and an empty file raise ValueError with file
    and line. A test file without any label is called that.
    """
    examples: list[PairExample] = []
    for number, line in text_lines.read_lines(path):
        columns = words.split_tabs(line)
        if len(columns) != 3:
            if len(columns) == 2 and not examples:
                _refuse_unlabelled(path, 2, "first text, second text, label")
            raise ValueError(
                f"{path}, line {number}: expected 3 columns separated by TAB "
                "(first text, second text, label). Received: "
                f"{len(columns)}: {line[:_SHOWN]!r}."
            )
        first, second, label = columns
        if words.is_blank(first) or words.is_blank(second):
            raise ValueError(
                f"{path}, line {number}: a text is empty. Received: "
                f"{line[:_SHOWN]!r}. Accepted: two texts and a label."
            )
        label = checked_label(label, labels, path, number)
        examples.append(PairExample(first, second, label))
    if not examples:
        raise ValueError(f"{path}: the file has no examples.")
    return examples


def read_tagged(
    path: pathlib.Path,
    labels: Sequence[str],
    tag_column: int = 1,
    num_columns: int = 2,
) -> list[TaggedSentence]:
    """Reads a file of `token TAB tag` rows with blank lines between sentences.

    It may be gzipped. `tag_column` counts from 0. A row that is not like this,
    an unknown tag, bytes that are not UTF-8 and a file without sentences raise
    ValueError with file and line. A test file without any tag is called that;
    one whose tags are all `O` or all `X`, as XTREME's preprocessing writes
    them, is refused.
    """
    sentences = []
    found: list[str] = []
    tags: list[str] = []
    for number, line in text_lines.read_lines(path):
        if words.is_blank_row(line):
            if found:
                sentences.append(TaggedSentence(tuple(found), tuple(tags)))
                found, tags = [], []
            continue
        columns = line.split("\t")
        word = words.strip_space(columns[0])
        if len(columns) != num_columns or not word:
            if len(columns) == 1 and not found and not sentences:
                _refuse_unlabelled(path, 1, "token, tag")
            raise ValueError(
                f"{path}, line {number}: expected a token and "
                f"{num_columns - 1} tag column(s) separated by TAB, or a blank "
                f"line. Received: {len(columns)} column(s): "
                f"{line[:_SHOWN]!r}."
            )
        found.append(word)
        tags.append(checked_label(columns[tag_column], labels, path, number))
    if found:
        sentences.append(TaggedSentence(tuple(found), tuple(tags)))
    if not sentences:
        raise ValueError(f"{path}: the file has no sentences.")
    _refuse_dummies(path, sentences)
    return sentences


def read_label_file(
    path: pathlib.Path, labels: Sequence[str], kind: str
) -> list[str] | list[list[str]]:
    """Reads the labels, in the last column, of predictions or of data.

    The file may be gzipped. `kind` is `pair` (one label per line) or `tagging`
    (one tag per line, a blank line between sentences, which become lists). What
    is not like this raises ValueError with file and line.
    """
    flat: list[str] = []
    sentences: list[list[str]] = []
    for number, line in text_lines.read_lines(path):
        if kind == "tagging" and words.is_blank_row(line):
            if flat:
                sentences.append(flat)
                flat = []
            continue
        label = line.rsplit("\t", 1)[-1]
        flat.append(checked_label(label, labels, path, number))
    if kind == "tagging" and flat:
        sentences.append(flat)
    found = sentences if kind == "tagging" else flat
    if not found:
        raise ValueError(f"{path}: the file has no labels.")
    return found
