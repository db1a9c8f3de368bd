"""Where examples come from: a folder of files, or the shipped sample."""

import dataclasses
import pathlib

from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.readers import find_file
from dlfa_tf.data.readers import read_pairs
from dlfa_tf.data.readers import read_tagged
from dlfa_tf.data.tasks import SAMPLE_LANGUAGES
from dlfa_tf.data.tasks import Task
from dlfa_tf.data.tasks import nearest_hint

SPLITS = ("train", "dev", "test")
SOURCES = ("files", "sample")
SAMPLE_FOLDER = pathlib.Path(__file__).parent / "sample"

Examples = list[PairExample] | list[TaggedSentence]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """The data of one task.

    Attributes:
        task: `Task`.
        name: str, `"files"` or `"sample"`.
        data_dir: folder that holds the task folders (`xnli/`, `pawsx/`,
            `panx/`, `udpos_fused/`); None for the sample.

    Raises:
        ValueError: for an unknown source, `files` without `data_dir` or
            `sample` with one.
        FileNotFoundError: when the folder of the task does not exist.
    """

    task: Task
    name: str
    data_dir: str | None = None

    def __post_init__(self) -> None:
        if self.name not in SOURCES:
            raise ValueError(
                f"`data_source` is unknown. Received: {self.name!r}. "
                f"Accepted: {SOURCES}." + nearest_hint(self.name, SOURCES)
            )
        if self.name == "sample" and self.data_dir is not None:
            raise ValueError(
                "`data_dir` is only for data_source='files'. Received: "
                f"{self.data_dir!r} with data_source='sample'."
            )
        if self.name == "files" and self.data_dir is None:
            raise ValueError(
                "`data_dir` is needed for data_source='files'. Received: "
                f"None. Accepted: a folder that holds {self.task.folder}/."
            )
        if not self.folder.is_dir():
            raise FileNotFoundError(
                f"The data folder {str(self.folder)!r} of task "
                f"{self.task.name!r} does not exist. Accepted: a `data_dir` "
                f"that holds {self.task.folder}/ with files named "
                "train-en.tsv, dev-en.tsv, test-XX.tsv (or .tsv.gz)."
            )

    @property
    def folder(self) -> pathlib.Path:
        """Folder of the task's files."""
        if self.name == "sample":
            return SAMPLE_FOLDER / self.task.sample_folder
        return pathlib.Path(str(self.data_dir)) / self.task.folder

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages this source knows for the task, whether present or not."""
        return (
            SAMPLE_LANGUAGES if self.name == "sample" else self.task.languages
        )

    def available(self, split: str) -> tuple[str, ...]:
        """Languages that have a file for `split`, in alphabetical order."""
        present = []
        for language in self.languages:
            try:
                find_file(self.folder, split, language)
            except FileNotFoundError:
                continue
            present.append(language)
        return tuple(sorted(present))

    def load(
        self, split: str, language: str, limit: int | None = None
    ) -> Examples:
        """Reads the examples of a split and language.

        Args:
            split: str, `train`, `dev` or `test`.
            language: str, two-letter code.
            limit: int or None, number of examples to keep from the start,
                1 or more. Defaults to `None`: all.

        Returns:
            list of `PairExample` or `TaggedSentence`.

        Raises:
            FileNotFoundError: when there is no such file.
            ValueError: when the file is malformed or `limit` is below 1.
        """
        if limit is not None and limit < 1:
            raise ValueError(
                f"`limit` must be 1 or more. Received: {limit}. Accepted: a "
                "number of examples, or None for all."
            )
        path = find_file(self.folder, split, language)
        labels = self.task.labels
        if self.task.kind == "pair":
            return read_pairs(path, labels)[:limit]
        if self.name == "sample":
            return read_tagged(
                path, labels, self.task.sample_tag_column, num_columns=3
            )[:limit]
        return read_tagged(path, labels)[:limit]


def check_language(language: str, source: Source) -> None:
    """Refuses a language that the source does not know; offers the nearest."""
    if language not in source.languages:
        raise ValueError(
            f"Language {language!r} is not one of task "
            f"{source.task.name!r} in data_source={source.name!r}. Accepted: "
            f"{list(source.languages)}."
            + nearest_hint(language, source.languages)
        )
