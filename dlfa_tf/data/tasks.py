"""The four tasks of the paper, one frozen definition each."""

import dataclasses

from dlfa_tf import checks
from dlfa_tf.options import SEQUENCE_LENGTH

UPOS_TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
NER_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

# Where examples come from, see `Source`; the default first.
SOURCES = ("files", "tfds", "sample")
# The languages of the sample that this project ships, for every task.
SAMPLE_LANGUAGES = ("ar", "de", "el", "en", "es", "fr", "hi", "ru", "zh")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What a task is, as the benchmark XTREME (version 1) defines it.

    Attributes:
        name: str, `xnli`, `pawsx`, `ner` or `pos`.
        kind: str, `"pair"` (two texts, one label) or `"tagging"`.
        labels: label names; label i has id i.
        languages: two-letter codes of the benchmark's languages.
        folder: str, folder of the task below a data folder.
        other_folder: str or None, folder that is read where `folder` is not
            there: the name in XTREME's download, where it differs.
        sample_folder: str, the same in the shipped sample.
        sample_tag_column: int, column of the tag in the sample's files
            (tagging only; the sample has both kinds of tags in one file).
        tfds_train: str, builder (and config) of TensorFlow Datasets with the
            training data; `{language}` stands for the code.
        tfds_evaluation: str, the same for dev and test.
        score: str, name of the headline score.
        report_split: str, split whose scores the benchmark reports.
        sequence_length: int, pieces per row, special ones included.
        epochs: int, passes over the training data.
        learning_rate: float, of the first step; falls linearly to 0.
        batch_size: int, examples per step over all replicas.
        weight_decay: float, of AdamW.
        adam_epsilon: float.
        clip_norm: float, limit of the global norm of the gradients.

    The settings from `sequence_length` on are those of XTREME's scripts
    (`scripts/train_*.sh` and the argument parsers they call).
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    folder: str
    other_folder: str | None = None
    sample_folder: str
    sample_tag_column: int = 1
    tfds_train: str
    tfds_evaluation: str
    score: str
    report_split: str = "test"
    sequence_length: int = SEQUENCE_LENGTH
    epochs: int
    learning_rate: float = 2e-5
    batch_size: int = 32
    weight_decay: float = 0.0
    adam_epsilon: float = 1e-8
    clip_norm: float = 1.0

    @property
    def is_parallel(self) -> bool:
        """Whether row i of dev or test is the same text in every language.

        The pairs of XNLI and PAWS-X were translated from English; the
        sentences of NER and POS are each language's own.
        """
        return self.kind == "pair"


XNLI = Task(
    name="xnli",
    kind="pair",
    labels=("contradiction", "entailment", "neutral"),
    languages=tuple("ar bg de el en es fr hi ru sw th tr ur vi zh".split()),
    folder="xnli",
    sample_folder="xnli",
    tfds_train="xtreme_xnli",
    tfds_evaluation="xnli",
    score="accuracy",
    epochs=5,
)
PAWSX = Task(
    name="pawsx",
    kind="pair",
    labels=("0", "1"),
    languages=tuple("de en es fr ja ko zh".split()),
    folder="pawsx",
    sample_folder="pawsx",
    tfds_train="paws_wiki/labeled_final_tokenized",
    tfds_evaluation="paws_x_wiki/{language}",
    score="accuracy",
    epochs=5,
)
NER = Task(
    name="ner",
    kind="tagging",
    labels=NER_TAGS,
    languages=tuple(
        "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk "
        "ko ml mr ms my nl pt ru sw ta te th tl tr ur vi yo zh".split()
    ),
    folder="panx",
    sample_folder="tagging",
    sample_tag_column=2,
    tfds_train="wikiann/{language}",
    tfds_evaluation="wikiann/{language}",
    score="ner_f1",
    epochs=10,
)
POS = Task(
    name="pos",
    kind="tagging",
    labels=UPOS_TAGS,
    languages=tuple(
        "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl "
        "pt ru ta te th tl tr ur vi yo zh".split()
    ),
    folder="udpos_fused",
    other_folder="udpos",
    sample_folder="tagging",
    sample_tag_column=1,
    tfds_train="xtreme_pos/xtreme_pos_{language}",
    tfds_evaluation="xtreme_pos/xtreme_pos_{language}",
    score="pos_f1",
    epochs=10,
)
TASKS = {task.name: task for task in (XNLI, PAWSX, NER, POS)}


# What XTREME and others call the tasks.
ALIASES = {
    "panx": "ner",
    "wikiann": "ner",
    "udpos": "pos",
    "ud": "pos",
    "upos": "pos",
    "mnli": "xnli",
    "paws-x": "pawsx",
    "paws": "pawsx",
}


def get_task(name: str) -> Task:
    """Returns the task called `name`.

    Raises:
        ValueError: when there is no such task; the nearest name is offered.
    """
    if name in TASKS:
        return TASKS[name]
    raise ValueError(
        f"`task` is unknown. Received: {name!r}. Accepted: {sorted(TASKS)}."
        + checks.nearest_hint(ALIASES.get(str(name).casefold(), name), TASKS)
    )
