"""Data that TensorFlow Datasets has prepared -> Python examples, offline.

Only what lies prepared below the data folder is read: the builders' code is
not run and nothing is fetched, so a missing set is an error at once and never
a download that hangs. `tfds_archives.py` prepares sets.
"""

import itertools
import os
import pathlib
import re
from typing import Any

from dlfa_tf import files
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.task import Task

# TFDS calls the dev split of most sets, but not of all, "validation".
_SPLIT_NAMES = {
    "train": ("train",),
    "dev": ("validation", "dev"),
    "test": ("test",),
}
# The table of languages in TFDS' xtreme_pos has Tamil and Tagalog swapped.
_SWAPPED = {"ta": "tl", "tl": "ta"}
_RENAMED_LABELS = {"different_meaning": "0", "paraphrase": "1"}
# XTREME takes these out of the words of its POS files.
_DROPPED_IN_WORDS = re.compile("[ \u200c]")


def builder_name(task: Task, split: str, language: str) -> str:
    """Names the builder, and its config, of a split and language.

    For example `"xnli"`, or `"xtreme_pos/xtreme_pos_tl"` (the config that has
    the Tamil data).
    """
    name = str(task.tfds_train if split == "train" else task.tfds_evaluation)
    if name.startswith("xtreme_pos/"):
        language = _SWAPPED.get(language, language)
    return name.format(language=language)


def prepared_folder(
    data_dir: str | os.PathLike[str], name: str
) -> pathlib.Path | None:
    """Finds the newest prepared version of a builder, without TFDS itself.

    `name` is what `builder_name` returns. None when none is prepared.
    """
    found = [
        (tuple(map(int, folder.name.split("."))), folder)
        for folder in (pathlib.Path(data_dir) / name).glob("*.*.*")
        if re.fullmatch(r"\d+\.\d+\.\d+", folder.name)
        and (folder / "features.json").is_file()
        and (folder / "dataset_info.json").is_file()
    ]
    return max(found)[1] if found else None


def has_split(
    task: Task, split: str, language: str, data_dir: str | os.PathLike[str]
) -> bool:
    """Whether a split of a language is prepared; reads no examples."""
    # PAWS-Wiki, say, has one language only.
    if (
        split == "train"
        and "{language}" not in str(task.tfds_train)
        and language not in task.source_languages
    ):
        return False
    folder = prepared_folder(data_dir, builder_name(task, split, language))
    return folder is not None and _split_name(folder, split) is not None


def _split_name(folder: pathlib.Path, split: str) -> str | None:
    """The set's own name of a split, None when the set does not have it."""
    path = folder / "dataset_info.json"
    try:
        splits = files.read_json(path).get("splits", [])
        names = {entry["name"] for entry in splits}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: not what TensorFlow Datasets writes ({error!r}). Delete "
            "the folder and prepare the set again."
        ) from error
    return next((n for n in _SPLIT_NAMES[split] if n in names), None)


def read_tfds(
    task: Task,
    split: str,
    language: str,
    data_dir: str | os.PathLike[str],
    limit: int | None = None,
) -> list[PairExample] | list[TaggedSentence]:
    """Reads the prepared examples of a split and language.

    They come in the order in which TFDS stored them, which is not that of the
    original files, but always the same; `limit` keeps the first ones.
    FileNotFoundError says that the set is not prepared or has no such split,
    ValueError that an example lacks the language or has a label that is none of
    the task's.
    """
    name = builder_name(task, split, language)
    if not has_split(task, split, language, data_dir):
        raise FileNotFoundError(
            f"No {split} data for language {language!r}: the set {name!r} of "
            f"TensorFlow Datasets with that split is not prepared in "
            f"{str(data_dir)!r}. Expected a folder "
            f"{name}/VERSION/ there. Prepare it with `python -m "
            f"trainers.prepare --task={task.name} --data_source=tfds "
            "--data_dir=... --manual_dir=FOLDER_OF_ARCHIVES`; nothing is "
            "downloaded."
        )
    # Importing TFDS takes seconds that other sources should not wait for.
    import tensorflow_datasets as tfds

    folder = prepared_folder(data_dir, name)
    builder = tfds.builder_from_directory(folder)
    dataset = builder.as_dataset(
        split=_split_name(folder, split),  # type: ignore[arg-type]
        shuffle_files=False,
        read_config=tfds.ReadConfig(interleave_cycle_length=1),
    )
    rows = itertools.islice(tfds.as_numpy(dataset), limit)
    if task.kind == "pair":
        return _pairs(rows, builder.info.features["label"], task, language)
    key = "tags" if "tags" in builder.info.features else "upos"
    tags = builder.info.features[key].feature
    return _sentences(rows, key, tags, task)


def _label_names(feature: Any, task: Task) -> list[str]:
    """Label names of a set by their ids there, as the task calls them."""
    names = [_RENAMED_LABELS.get(name, name) for name in feature.names]
    missing = sorted(set(task.labels) - set(names))
    if missing:
        raise ValueError(
            f"The set has other labels than task {task.name!r}. Received: "
            f"{names}. Accepted: {list(task.labels)}."
        )
    return names


def _label(names: list[str], number: int, index: int, task: Task) -> str:
    if not 0 <= number < len(names) or names[number] not in task.labels:
        raise ValueError(
            f"Example {index} has an unknown label. Received: "
            f"{names[number] if 0 <= number < len(names) else number!r}. "
            f"Accepted: {list(task.labels)}."
        )
    return names[number]


def _pairs(
    rows: Any, label: Any, task: Task, language: str
) -> list[PairExample]:
    names = _label_names(label, task)
    examples = []
    for index, row in enumerate(rows):
        if "premise" in row:
            texts = _translations(row, language, index)
        else:
            texts = (row["sentence1"], row["sentence2"])
        first, second = (text.decode("utf-8") for text in texts)
        examples.append(
            PairExample(
                first, second, _label(names, int(row["label"]), index, task)
            )
        )
    return examples


def _translations(row: Any, language: str, index: int) -> tuple[bytes, bytes]:
    """Premise and hypothesis of one language of a parallel example."""
    languages = row["hypothesis"]["language"].tolist()
    code = language.encode()
    if not row["premise"].get(language) or code not in languages:
        raise ValueError(
            f"Example {index} has no premise or no hypothesis in language "
            f"{language!r}. It has hypotheses in "
            f"{sorted(x.decode() for x in languages)}."
        )
    translation = row["hypothesis"]["translation"][languages.index(code)]
    return row["premise"][language], translation


def _sentences(
    rows: Any, key: str, tag: Any, task: Task
) -> list[TaggedSentence]:
    names = _label_names(tag, task)
    sentences = []
    for index, row in enumerate(rows):
        words = [word.decode("utf-8") for word in row["tokens"]]
        if key == "upos":
            words = [_DROPPED_IN_WORDS.sub("", word) for word in words]
        tags = [_label(names, int(n), index, task) for n in row[key]]
        # xtreme_pos keeps the shells of sentences whose words UD withholds.
        if words:
            sentences.append(TaggedSentence(tuple(words), tuple(tags)))
    return sentences
