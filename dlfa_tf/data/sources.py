"""Where examples come from: files, TensorFlow Datasets, the shipped sample."""

import dataclasses
import pathlib

from dlfa_tf import checks
from dlfa_tf import files
from dlfa_tf.data import readers
from dlfa_tf.data import task_examples
from dlfa_tf.data import tfds
from dlfa_tf.data.readers import Examples
from dlfa_tf.data.task import SOURCES
from dlfa_tf.data.task import Task
from dlfa_tf.data.tasks import SAMPLE_LANGUAGES

SAMPLE_FOLDER = pathlib.Path(__file__).parent / "sample"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """The data of one task.

    Attributes:
        task: `Task`.
        name: str, `"files"`, `"tfds"` or `"sample"`.
        data_dir: for `files` the folder that holds the task folders (`xnli/`,
            `pawsx/`, `panx/`, `udpos_fused/`, or XTREME's own `udpos/`
            where that is not there; for a task of a file None is the folder
            of that file); for `tfds` the folder of TensorFlow Datasets; None
            for the sample.

    Raises:
        ValueError: for an unknown source, `files` or `tfds` without
            `data_dir`, `sample` with one, or a source that does not have the
            task.
        FileNotFoundError: when the folder of the data does not exist.

    Example:
        >>> from dlfa_tf.data import Source
        >>> from dlfa_tf.data import get_task
        >>> source = Source(task=get_task("pos"), name="sample")
        >>> source.available("test")
        ('ar', 'de', 'el', 'en', 'es', 'fr', 'hi', 'ru', 'zh')
        >>> source.load("test", "de", limit=1)[0].words[:3]
        ('Nach', 'dem', 'Hochwasser')
        >>> source.file("test", "de").name
        'test-de.tsv'
        >>> source.unlabelled("test")
        ()
    """

    task: Task
    name: str
    data_dir: str | None = None

    def __post_init__(self) -> None:
        if self.data_dir is not None:
            # The field of a frozen dataclass.
            path = str(files.user_path(self.data_dir, "data_dir"))
            object.__setattr__(self, "data_dir", path)
        if self.name not in SOURCES:
            raise ValueError(
                f"`data_source` is unknown. Received: {self.name!r}. "
                f"Accepted: {SOURCES}."
                + checks.nearest_hint(self.name, SOURCES)
            )
        has_task = {
            "files": True,
            "tfds": self.task.tfds_train is not None,
            "sample": self.task.sample_folder is not None,
        }
        if not has_task[self.name]:
            raise ValueError(
                f"data_source={self.name!r} does not have task "
                f"{self.task.name!r}. Accepted: "
                f"{', '.join(x for x, has in has_task.items() if has)}."
            )
        if self.data_dir is None and self.name == "files":
            # The field of a frozen dataclass.
            object.__setattr__(self, "data_dir", self.task.home)
        if self.name == "sample" and self.data_dir is not None:
            raise ValueError(
                "`data_dir` is not for data_source='sample'. Received: "
                f"{self.data_dir!r}. Accepted: None, or another source."
            )
        if self.name != "sample" and self.data_dir is None:
            holds = "sets of TensorFlow Datasets"
            if self.name == "files":
                holds = f"{self.task.folder}/" if self.task.folder else "files"
            raise ValueError(
                f"`data_dir` is needed for data_source={self.name!r}. "
                f"Received: None. Accepted: a folder that holds {holds}."
            )
        if self.name == "tfds" and not self.folder.is_dir():
            raise FileNotFoundError(
                f"The folder {str(self.folder)!r} of TensorFlow Datasets does "
                "not exist. Accepted: a `data_dir` with prepared sets; "
                "trainers.prepare makes one of archives."
            )
        if not self.folder.is_dir():
            other = self.task.other_folder
            raise FileNotFoundError(
                f"The data folder {str(self.folder)!r} of task "
                f"{self.task.name!r} does not exist. Accepted: a `data_dir` "
                f"that holds {self.task.folder}/ "
                + (f"(or XTREME's {other}/) " if other else "")
                + f"with files named {', '.join(self.usual_names())} (or "
                "the same with .gz)."
            )

    def usual_names(self) -> list[str]:
        """Names of files that the task may have, one of each split."""
        first = self.task.source_languages[0]
        names = [
            self.task.files[split][0].format(split=split, language=language)
            for split, language in (
                ("train", first), ("dev", first), ("test", "XX")
            )
        ]  # fmt: skip
        # One file may have several splits.
        return list(dict.fromkeys(names))

    @property
    def folder(self) -> pathlib.Path:
        """Folder of the task's files, or of TensorFlow Datasets."""
        if self.name == "sample":
            return SAMPLE_FOLDER / str(self.task.sample_folder)
        if self.name == "tfds":
            return pathlib.Path(str(self.data_dir))
        root = pathlib.Path(str(self.data_dir))
        other = self.task.other_folder
        # The folder's own name first: `udpos/` beside it may have words split
        # otherwise than XTREME's.
        if other and not (root / self.task.folder).is_dir():
            if (root / other).is_dir():
                return root / other
        return root / self.task.folder

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages this source knows for the task, whether present or not."""
        return (
            SAMPLE_LANGUAGES if self.name == "sample" else self.task.languages
        )

    def available(self, split: str) -> tuple[str, ...]:
        """Languages that have data for `split`, in alphabetical order.

        Test files without labels, as XTREME's download has them, are no data.
        """
        unlabelled = self.unlabelled(split)
        return tuple(
            sorted(
                x
                for x in self.languages
                if x not in unlabelled and self._is_there(split, x)
            )
        )

    def unlabelled(self, split: str) -> tuple[str, ...]:
        """Languages whose test file has no labels, in alphabetical order.

        `load` refuses such a file and says where labels come from.
        """
        if split != "test" or self.name != "files":
            return ()
        if not self.task.has_usual_files or self.task.kind == "single":
            return ()
        columns = 3 if self.task.kind == "pair" else 2
        return tuple(
            sorted(
                x
                for x in self.languages
                if self._is_there(split, x)
                and not readers.has_labels(self.file(split, x), columns)
            )
        )

    def _is_there(self, split: str, language: str) -> bool:
        if self.name == "tfds":
            return tfds.has_split(self.task, split, language, self.folder)
        try:
            self.file(split, language)
        except FileNotFoundError:
            return False
        return True

    def file(self, split: str, language: str) -> pathlib.Path:
        """File of a split and language (not for `tfds`).

        FileNotFoundError when there is none, or none of its rows is of them;
        ValueError when there are two of which one would have to be guessed.
        """
        if self.name == "sample" or self.task.has_usual_files:
            return readers.find_file(self.folder, split, language)
        return task_examples.find_file(self.folder, self.task, split, language)

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
            list of `TextExample`, `PairExample` or `TaggedSentence`.

        Raises:
            FileNotFoundError: when there are no such data.
            ValueError: when the data are malformed or `limit` is below 1.
        """
        if limit is not None and limit < 1:
            raise ValueError(
                f"`limit` must be 1 or more. Received: {limit}. Accepted: a "
                "number of examples, or None for all."
            )
        if self.name == "tfds":
            return tfds.read_tfds(
                self.task, split, language, self.folder, limit
            )
        path = self.file(split, language)
        task, labels = self.task, self.task.label_names
        if self.name == "sample" and task.is_tagging:
            return readers.read_tagged(
                path, labels, task.sample_tag_column, num_columns=3
            )[:limit]
        if not task.has_usual_files or task.kind == "single":
            return task_examples.read_examples(
                path, task, labels, language, split
            )[:limit]
        if task.kind == "pair":
            return readers.read_pairs(path, labels)[:limit]
        return readers.read_tagged(path, labels)[:limit]


def check_language(language: str, source: Source) -> None:
    """Refuses a language that the source does not know; offers the nearest."""
    if language not in source.languages:
        raise ValueError(
            f"Language {language!r} is not one of task "
            f"{source.task.name!r} in data_source={source.name!r}. Accepted: "
            f"{list(source.languages)}."
            + checks.nearest_hint(language, source.languages)
        )
