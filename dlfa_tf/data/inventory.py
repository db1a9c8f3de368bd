"""What a source holds: examples, words and labels by split and language."""

import collections
import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

from dlfa_tf.data import readers
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Examples
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import SPLITS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts of the examples (texts, pairs, sentences) of a split and language.

    `words` counts those of all sentences and is None without them. `labels`
    counts texts, pairs or words by label, in the task's order, labels that do
    not occur included.
    """

    split: str
    language: str
    examples: int
    words: int | None
    labels: dict[str, int]


def count(
    split: str, language: str, examples: Examples, labels: Sequence[str]
) -> Counts:
    """Counts some examples; `labels` are the task's."""
    found: collections.Counter[str] = collections.Counter()
    words = None
    for example in examples:
        if isinstance(example, TaggedSentence):
            found.update(example.tags)
            words = (words or 0) + len(example.words)
        else:
            found[example.label] += 1
    return Counts(
        split=split,
        language=language,
        examples=len(examples),
        words=words,
        labels={label: found[label] for label in labels},
    )


def load_all(source: Source) -> Iterator[tuple[str, str, Examples]]:
    """Reads all that a source holds, one split and language at a time.

    Yields split, language and examples: train, dev, test, each in alphabetical
    order of the languages.
    """
    for split in SPLITS:
        for language in source.available(split):
            yield split, language, source.load(split, language)


def missing_languages(source: Source) -> dict[str, list[str]]:
    """What zero-shot transfer needs and a source does not have.

    Test files without labels count as missing. The keys are `train` and `dev`
    (source languages, where missing), `test` (languages of the task without
    test data, which have dev data that can stand in) and `test and dev`
    (languages with neither).
    """
    present = {split: set(source.available(split)) for split in SPLITS}
    sources = source.task.source_languages
    untested = [x for x in source.languages if x not in present["test"]]
    return {
        "train": [x for x in sources if x not in present["train"]],
        "dev": [x for x in sources if x not in present["dev"]],
        "test": [x for x in untested if x in present["dev"]],
        "test and dev": [x for x in untested if x not in present["dev"]],
    }


def nothing_there(source: Source) -> str:
    """What to say of a source that holds no example of any split."""
    unlabelled = source.unlabelled("test")
    if unlabelled:
        return (
            f"{str(source.folder)!r} holds test files without labels only, of "
            f"{list(unlabelled)}; {readers.LABELS_COME_FROM}"
        )
    found = sorted(path.name for path in source.folder.iterdir())[:12]
    names = ", ".join(source.usual_names())
    return (
        f"Nothing of task {source.task.name!r} in {str(source.folder)!r}. "
        f"Accepted: {names}. The folder begins with: {found}."
    )
