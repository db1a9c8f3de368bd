"""What a task is: one frozen definition, whoever's task it is."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from dlfa_tf.options import SEQUENCE_LENGTH
from dlfa_tf.options import SOURCE_LANGUAGES

# Where examples come from, see `Source`; the default first.
SOURCES = ("files", "tfds", "sample")
SPLITS = ("train", "dev", "test")
# Kind of a task -> names of the columns of its files, the label's last.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "single": ("text", "label"),
    "pair": ("first", "second", "label"),
    "tagging": ("word", "tag"),
}
# Further columns, of files with rows of several languages or splits.
ROW_COLUMNS = ("language", "split")
KINDS = tuple(COLUMNS)
# Headline score -> kinds of tasks that it fits.
_OF_TEXTS, _OF_TAGS = ("single", "pair"), ("tagging",)
SCORES: Mapping[str, tuple[str, ...]] = {
    "accuracy": _OF_TEXTS,
    "macro_f1": _OF_TEXTS,
    "matthews": _OF_TEXTS,
    "chunk_f1": _OF_TAGS,
    "ner_f1": _OF_TAGS,
    "pos_f1": _OF_TAGS,
    "token_accuracy": _OF_TAGS,
}
# Schemes of tags for `chunk_f1`, each with the prefixes it has.
SCHEMES: Mapping[str, str] = {"IOB2": "BI", "IOBES": "BIES", "BILOU": "BILU"}
# Those that `dlfa_tf.data.formats` reads.
FORMATS = ("tsv", "csv", "jsonl", "parquet", "conll", "conllu")

FilePattern = tuple[str, ...]
USUAL_FILES: FilePattern = ("{split}-{language}.tsv",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What a task is; `dlfa_tf.data.task_file` reads one from a file.

    Attributes:
        name: str, such as `xnli`.
        kind: str, `"single"` (a text, one label), `"pair"` (two texts, one
            label) or `"tagging"` (words, a label each).
        labels: label names, label i has id i; empty where they are those of
            the training data, in alphabetical order, see
            `task_labels.with_labels`.
        score: str, name of the headline score, one of `SCORES`.
        scheme: str or None, of the tags, one of `SCHEMES` (`chunk_f1` only).
        source_languages: codes of the languages to train on.
        target_languages: codes of the others.
        parallel: bool, whether row i of dev or test is the same text in every
            language, as where they were translated.
        folder: str, folder of the task below a data folder; empty for the
            data folder itself.
        other_folder: str or None, folder that is read where `folder` is not
            there: the name in XTREME's download, where it differs.
        files: from split to patterns of file names, of which one matches;
            `{split}` and `{language}` stand for these.
        file_format: str or None, one of `FORMATS`; None goes by the ending.
        header: bool or None, whether files of columns have a first row of
            names; None where columns are given by name.
        columns: from a name in `COLUMNS` to the name of the column in the
            files, or its number, counted from 1; empty for the usual order.
            `language` and `split` name columns that say whose a row is, where
            a file has rows of several.
        sample_folder: str or None, folder in the shipped sample; None for a
            task that the sample does not have.
        sample_tag_column: int, column of the tag there, counted from 0
            (tagging only; the sample has both kinds of tags in one file).
        tfds_train: str or None, builder (and config) of TensorFlow Datasets
            with the training data; `{language}` stands for the code.
        tfds_evaluation: str or None, the same for dev and test.
        aliases: what others call the task.
        recipes: from the name of a recipe to the settings that are others
            for this task.
        report_split: str, split whose scores are reported.
        sequence_length: int, pieces per row, special ones included.
        train_limit: int or None, training examples to use; None is all.
        eval_limit: int or None, examples per language to evaluate on.
        epochs: int, passes over the training data.
        learning_rate: float, of the first step; falls linearly to 0.
        batch_size: int, examples per step over all replicas.
        dev_every: int or None, steps between scores on dev; None is once an
            epoch.
        weight_decay: float, of AdamW.
        adam_epsilon: float.
        clip_norm: float, limit of the global norm of the gradients.
        home: str or None, folder of the file that the task was read from,
            which holds the data where no folder is named. It is of this
            machine and no part of the definition.

    Example:
        from dlfa_tf.data import Task

        Task(
            name="reviews",
            kind="single",
            labels=("bad", "good"),
            score="accuracy",
            target_languages=("de", "zh"),
        )
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    score: str
    scheme: str | None = None
    source_languages: tuple[str, ...] = SOURCE_LANGUAGES
    target_languages: tuple[str, ...]
    parallel: bool = False
    folder: str = ""
    other_folder: str | None = None
    files: Mapping[str, FilePattern] = dataclasses.field(
        default_factory=lambda: dict.fromkeys(SPLITS, USUAL_FILES),
        hash=False,
    )
    file_format: str | None = None
    header: bool | None = None
    columns: Mapping[str, str | int] = dataclasses.field(
        default_factory=dict, hash=False
    )
    sample_folder: str | None = None
    sample_tag_column: int = 1
    tfds_train: str | None = None
    tfds_evaluation: str | None = None
    aliases: tuple[str, ...] = ()
    recipes: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict, hash=False
    )
    report_split: str = "test"
    sequence_length: int = SEQUENCE_LENGTH
    train_limit: int | None = None
    eval_limit: int | None = None
    epochs: int = 5
    learning_rate: float = 2e-5
    batch_size: int = 32
    dev_every: int | None = None
    weight_decay: float = 0.0
    adam_epsilon: float = 1e-8
    clip_norm: float = 1.0
    home: str | None = dataclasses.field(default=None, compare=False)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of all languages, in alphabetical order."""
        return tuple(sorted({*self.source_languages, *self.target_languages}))

    @property
    def label_names(self) -> tuple[str, ...]:
        """`labels`; ValueError where nobody has looked for them yet."""
        if not self.labels:
            raise ValueError(
                f"The labels of task {self.name!r} are those of its training "
                "data, which were not read. Accepted: a task of "
                "`task_labels.with_labels`, or labels in the task file."
            )
        return self.labels

    @property
    def is_tagging(self) -> bool:
        """Whether an example has a label for every word."""
        return self.kind == "tagging"

    @property
    def num_texts(self) -> int:
        """Texts of an example: 2 for pairs."""
        return 2 if self.kind == "pair" else 1

    @property
    def has_usual_files(self) -> bool:
        """Whether its files have the benchmark's names and form.

        TAB between columns, no header, labels in the last column.
        """
        return (
            not self.columns
            and not self.header
            and self.file_format in (None, "tsv")
            and all(x == USUAL_FILES for x in self.files.values())
        )
