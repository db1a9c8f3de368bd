"""The shipped sample keeps what its README promises."""

import collections
import re
import unicodedata

import pytest

from dlfa_tf.data.sources import SAMPLE_FOLDER
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import NER_TAGS
from dlfa_tf.data.tasks import SAMPLE_LANGUAGES
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import UPOS_TAGS

README = (SAMPLE_FOLDER / "README.md").read_text("utf-8")
FILES = sorted(SAMPLE_FOLDER.rglob("*.tsv"))
SCRIPTS = {
    "ar": "ARABIC",
    "de": "LATIN",
    "el": "GREEK",
    "en": "LATIN",
    "es": "LATIN",
    "fr": "LATIN",
    "hi": "DEVANAGARI",
    "ru": "CYRILLIC",
    "zh": "CJK",
}
# Signs of Unicode's category P that are not always, or never, PUNCT.
SIGNS = {
    "%": {"SYM"},
    "#": {"SYM"},
    ":)": {"SYM"},
    "-": {"PUNCT", "SYM"},
    "/": {"PUNCT", "SYM"},
    "&": {"CCONJ"},
    "'": {"PUNCT", "PART"},
}
SPLITS = [("train", "en"), ("dev", "en")] + [
    ("test", language) for language in SAMPLE_LANGUAGES
]

every_task = pytest.mark.parametrize("task", TASKS)
pair_tasks = pytest.mark.parametrize("task", ["xnli", "pawsx"])
tagging_tasks = pytest.mark.parametrize("task", ["ner", "pos"])
every_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}"
)


def _load(task, split, language):
    return Source(task=TASKS[task], name="sample").load(split, language)


def _texts(task, examples):
    """All texts of examples, one string each."""
    if TASKS[task].kind == "tagging":
        return [" ".join(e.words) for e in examples]
    return [text for e in examples for text in (e.first, e.second)]


# Files.


def test_files_are_those_that_the_task_definitions_name():
    names = {f"{split}-{language}.tsv" for split, language in SPLITS}
    assert {(p.parent.name, p.name) for p in FILES} == {
        (folder, name)
        for folder in ("xnli", "pawsx", "tagging")
        for name in names
    }


@every_file
def test_text_is_clean(path):
    data = path.read_bytes()
    text = data.decode("utf-8")
    assert unicodedata.normalize("NFC", text) == text
    assert text.endswith("\n") and not text.endswith("\n\n")
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        for cell in line.split("\t"):
            assert cell == cell.strip(), number
            assert "  " not in cell, number
            bad = [c for c in cell if unicodedata.category(c)[0] in "CZ"]
            # Spaces between words are plain ones.
            assert set(bad) <= {" "}, number


@every_file
def test_blank_lines_stand_only_between_sentences(path):
    text = path.read_text("utf-8")
    assert not text.startswith("\n")
    if path.parent.name == "tagging":
        assert "\n\n\n" not in text
        assert not any(" " in line.split("\t")[0] for line in text.split("\n"))
    else:
        assert "\n\n" not in text


@every_task
@pytest.mark.parametrize("language", SAMPLE_LANGUAGES)
def test_most_letters_are_of_the_languages_script(task, language):
    scripts = collections.Counter(
        unicodedata.name(letter).split()[0]
        for text in _texts(task, _load(task, "test", language))
        for letter in text
        if unicodedata.category(letter)[0] == "L"
    )
    assert scripts.most_common(1)[0][0] == SCRIPTS[language]
    assert scripts[SCRIPTS[language]] > 0.95 * scripts.total()


def test_languages_and_scripts_are_enough():
    assert set(SCRIPTS) == set(SAMPLE_LANGUAGES)
    assert len(SCRIPTS) == 9
    assert len(set(SCRIPTS.values())) >= 5


@every_task
def test_counts(task):
    counts = {split: len(_load(task, *split)) for split in SPLITS}
    assert counts["train", "en"] >= 160
    assert counts["dev", "en"] >= 24
    test = {n for (split, _), n in counts.items() if split == "test"}
    assert len(test) == 1 and test.pop() >= 24


# Overlaps.


def _key(text):
    """Letters and digits only, case ignored."""
    return "".join(c for c in text.casefold() if c.isalnum())


def _groups(task, examples):
    """Texts that must not be in two splits; hypotheses alone may be."""
    if task == "xnli":
        return {_key(e.first) for e in examples}
    return {_key(text) for text in _texts(task, examples)}


@every_task
def test_splits_share_no_text(task):
    splits = [
        _groups(task, _load(task, split, "en"))
        for split in ("train", "dev", "test")
    ]
    for i, one in enumerate(splits):
        for other in splits[i + 1 :]:
            assert not one & other


@every_task
@pytest.mark.parametrize(("split", "language"), SPLITS)
def test_no_item_repeats(task, split, language):
    examples = _load(task, split, language)
    if TASKS[task].kind == "pair":
        keys = [(_key(e.first), _key(e.second)) for e in examples]
        assert all(first != second for first, second in keys)
        keys = [frozenset(key) for key in keys]
    else:
        keys = [_key(text) for text in _texts(task, examples)]
    assert len(set(keys)) == len(keys)


# Pairs.


@pair_tasks
@pytest.mark.parametrize(("split", "language"), SPLITS)
def test_labels_are_balanced(task, split, language):
    counts = collections.Counter(e.label for e in _load(task, split, language))
    assert set(counts) == set(TASKS[task].labels)
    assert len(set(counts.values())) == 1


@pair_tasks
@pytest.mark.parametrize("language", SAMPLE_LANGUAGES)
def test_pairs_are_parallel(task, language):
    english, other = _load(task, "test", "en"), _load(task, "test", language)
    assert [e.label for e in other] == [e.label for e in english]

    def firsts(examples):
        # The place of the first example with the same first text.
        texts = [e.first for e in examples]
        return [texts.index(text) for text in texts]

    assert firsts(other) == firsts(english)


@pair_tasks
@pytest.mark.parametrize("language", SAMPLE_LANGUAGES)
def test_translations_keep_the_digits(task, language):
    def digits(text):
        return sorted(c for c in text if c.isdigit())

    english, other = _load(task, "test", "en"), _load(task, "test", language)
    for a, b in zip(english, other, strict=True):
        assert digits(a.first) == digits(b.first)
        assert digits(a.second) == digits(b.second)


@pytest.mark.parametrize(("split", "language"), SPLITS)
def test_xnli_premises_have_one_hypothesis_of_each_label(split, language):
    labels = collections.defaultdict(list)
    for example in _load("xnli", split, language):
        labels[example.first].append(example.label)
    assert all(
        sorted(found) == sorted(TASKS["xnli"].labels)
        for found in labels.values()
    )


@pytest.mark.parametrize(("split", "language"), SPLITS)
def test_pawsx_pairs_differ_little_in_their_words(split, language):
    # What the task is about: labels cannot be told from the words alone.
    shared = collections.defaultdict(list)
    for example in _load("pawsx", split, language):
        a, b = (
            collections.Counter(_key(t))
            for t in (example.first, example.second)
        )
        shared[example.label].append(2 * (a & b).total() / (a + b).total())
    means = {label: sum(v) / len(v) for label, v in shared.items()}
    assert min(means.values()) > 0.8
    assert min(shared["0"]) > 0.6


# Tags.


@pytest.mark.parametrize(("split", "language"), SPLITS)
def test_ner_tags_are_iob2(split, language):
    for number, sentence in enumerate(_load("ner", split, language)):
        before = "O"
        for tag in sentence.tags:
            if tag.startswith("I-"):
                assert before[2:] == tag[2:], (number, sentence.words)
            before = tag


@tagging_tasks
def test_all_tags_occur_in_train(task):
    tags = {tag for e in _load(task, "train", "en") for tag in e.tags}
    assert tags == set(UPOS_TAGS if task == "pos" else NER_TAGS)


@pytest.mark.parametrize("language", SAMPLE_LANGUAGES)
def test_entities_are_parallel(language):
    def entities(sentence):
        return collections.Counter(
            tag[2:] for tag in sentence.tags if tag.startswith("B-")
        )

    english, other = _load("ner", "test", "en"), _load("ner", "test", language)
    for number, (a, b) in enumerate(zip(english, other, strict=True)):
        assert entities(a) == entities(b), (number, b.words)


@pytest.mark.parametrize(("split", "language"), SPLITS)
def test_words_and_tags_agree_where_the_sign_decides(split, language):
    for sentence in _load("pos", split, language):
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            kinds = {unicodedata.category(c)[0] for c in word}
            if kinds == {"P"}:
                assert tag in SIGNS.get(word, {"PUNCT"}), (word, tag)
            if kinds == {"S"}:
                assert tag == "SYM", (word, tag)
            if word.isascii() and word.isdigit():
                # Russian years are ordinal numbers, so adjectives.
                assert tag == "NUM" or (language == "ru" and tag == "ADJ")
            if tag in ("PUNCT", "SYM"):
                assert not kinds & {"L", "N"}, (word, tag)


@pytest.mark.parametrize(("split", "language"), SPLITS)
def test_fused_words_have_one_row(split, language):
    # UD splits these; XTREME's files, and the sample, do not.
    words = {
        word.casefold()
        for sentence in _load("pos", split, language)
        for word in sentence.words
    }
    apart = {"de": {"im", "am"}, "es": {"del"}, "fr": {"du", "au"}}
    assert apart.get(language, set()) <= words


# The README.


def _row(name):
    (row,) = [x for x in README.split("\n") if x.startswith(f"| `{name}")]
    numbers = re.findall(r"\d[\d,]*", row.split("|", 2)[2])
    return [int(number.replace(",", "")) for number in numbers]


@pair_tasks
def test_readme_counts_pairs(task):
    for name, language in (("train", "en"), ("dev", "en"), ("test", "en")):
        examples = _load(task, name, language)
        row = _row(f"{task}/{name}-")
        assert row[0] == len(examples)
        if task == "xnli":
            assert row[1] == len({e.first for e in examples})
        else:
            assert row[1] == sum(e.label == "1" for e in examples)


def test_readme_counts_words_and_entities():
    for split in ("train", "dev", "test"):
        languages = SAMPLE_LANGUAGES if split == "test" else ("en",)
        files = [_load("ner", split, language) for language in languages]
        words = [sum(len(e.words) for e in examples) for examples in files]
        found = collections.Counter(
            tag[2:] for e in files[0] for tag in e.tags if tag[0] == "B"
        )
        assert _row(f"tagging/{split}-") == [
            len(files[0]),
            *sorted({min(words), max(words)}),
            *(found[kind] for kind in ("PER", "ORG", "LOC")),
        ]
