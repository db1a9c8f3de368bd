"""Sources: the sample, a folder of files and, where present, the benchmark."""

import collections
import gzip

import pytest

from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import SAMPLE_FOLDER
from dlfa_tf.data.sources import Source
from dlfa_tf.data.sources import check_language
from dlfa_tf.data.tasks import SAMPLE_LANGUAGES
from dlfa_tf.data.tasks import TASKS


@pytest.fixture
def data_dir(tmp_path):
    """A data folder with a few files of XNLI and NER."""
    for folder, name, text in (
        ("xnli", "train-en.tsv", "a\tb\tneutral\n" * 5),
        ("xnli", "test-zh.tsv.gz", "c\td\tentailment\n"),
        ("xnli", "test-de.tsv", "e\tf\tcontradiction\n"),
        ("xnli", "test-qq.tsv", "g\th\tneutral\n"),
        ("panx", "dev-th.tsv", "Lima\tB-LOC\n\nhere\tO\n"),
    ):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        data = text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    return tmp_path


def _files(task, folder):
    return Source(task=TASKS[task], name="files", data_dir=str(folder))


# The sample.


@pytest.mark.parametrize("task", TASKS)
def test_sample(task):
    source = Source(task=TASKS[task], name="sample")
    assert source.folder.parent == SAMPLE_FOLDER
    assert source.languages == SAMPLE_LANGUAGES
    assert source.available("train") == source.available("dev") == ("en",)
    assert source.available("test") == SAMPLE_LANGUAGES
    kind = PairExample if TASKS[task].kind == "pair" else TaggedSentence
    for language in SAMPLE_LANGUAGES:
        assert {type(e) for e in source.load("test", language)} == {kind}


def test_sample_has_both_kinds_of_tags_for_the_same_words():
    pos, ner = (Source(task=TASKS[t], name="sample") for t in ("pos", "ner"))
    assert pos.folder == ner.folder
    for a, b in zip(
        pos.load("test", "el"), ner.load("test", "el"), strict=True
    ):
        assert a.words == b.words
        assert set(a.tags) <= set(TASKS["pos"].labels)
        assert set(b.tags) <= set(TASKS["ner"].labels)


# Files.


def test_files(data_dir):
    source = _files("xnli", data_dir)
    assert source.folder == data_dir / "xnli"
    assert source.languages == TASKS["xnli"].languages
    assert source.load("test", "zh") == [PairExample("c", "d", "entailment")]
    assert _files("ner", data_dir).load("dev", "th") == [
        TaggedSentence(("Lima",), ("B-LOC",)),
        TaggedSentence(("here",), ("O",)),
    ]


def test_available_lists_languages_of_the_task_that_have_a_file(data_dir):
    source = _files("xnli", data_dir)
    assert source.available("train") == ("en",)
    assert source.available("dev") == ()
    # `qq` has a file but is no language of the task.
    assert source.available("test") == ("de", "zh")


@pytest.mark.parametrize(("limit", "count"), [(None, 5), (2, 2), (9, 5)])
def test_limit_keeps_the_first_examples(data_dir, limit, count):
    source = _files("xnli", data_dir)
    examples = source.load("train", "en", limit)
    assert examples == source.load("train", "en")[:count]
    assert len(examples) == count


def test_limit_of_the_sample():
    for task in TASKS.values():
        source = Source(task=task, name="sample")
        assert source.load("dev", "en", 3) == source.load("dev", "en")[:3]


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_must_be_positive(data_dir, limit):
    with pytest.raises(ValueError, match=f"`limit`.*Received: {limit}. Acc"):
        _files("xnli", data_dir).load("train", "en", limit)


# Errors.


def test_unknown_source_offers_the_nearest():
    with pytest.raises(
        ValueError,
        match=r"`data_source` is unknown. Received: 'smaple'. Accepted: "
        r"\('files', 'tfds', 'sample'\). Did you mean 'sample'\?",
    ):
        Source(task=TASKS["pos"], name="smaple")


def test_sample_takes_no_data_dir(data_dir):
    with pytest.raises(
        ValueError, match="`data_dir` is not for data_source='sample'. Received"
    ):
        Source(task=TASKS["pos"], name="sample", data_dir=str(data_dir))


def test_files_need_a_data_dir():
    with pytest.raises(
        ValueError,
        match="`data_dir` is needed for .* Received: None. Accepted: a folder "
        "that holds udpos_fused/",
    ):
        Source(task=TASKS["pos"], name="files")


def test_folder_of_the_task_must_exist(data_dir):
    with pytest.raises(
        FileNotFoundError,
        match=r"pawsx' of task 'pawsx' does not exist. Accepted: a `data_dir` "
        r"that holds pawsx/ with files named train-en\.tsv, dev-en\.tsv,",
    ):
        _files("pawsx", data_dir)


def test_folder_of_xtreme_is_read_where_the_own_one_is_missing(data_dir):
    with pytest.raises(
        FileNotFoundError, match=r"udpos_fused/ \(or XTREME's udpos/\) with"
    ):
        _files("pos", data_dir)
    for name, tag in (("udpos", "NOUN"), ("udpos_fused", "VERB")):
        (data_dir / name).mkdir()
        (data_dir / name / "dev-en.tsv").write_text(f"Run\t{tag}\n")
        source = _files("pos", data_dir)
        assert source.folder == data_dir / name
        assert source.load("dev", "en") == [TaggedSentence(("Run",), (tag,))]


def test_file_of_the_language_must_exist(data_dir):
    with pytest.raises(
        FileNotFoundError,
        match=r"No test file for language 'fr' in .*xnli'. Expected "
        r"test-fr\.tsv or test-fr\.tsv\.gz. .*'test-de\.tsv'",
    ):
        _files("xnli", data_dir).load("test", "fr")


def test_malformed_file_is_named(data_dir):
    path = data_dir / "xnli" / "dev-en.tsv"
    path.write_text("a\tb\tyes\n")
    with pytest.raises(ValueError, match=r"dev-en\.tsv, line 1: unknown label"):
        _files("xnli", data_dir).load("dev", "en")


def test_check_language(data_dir):
    source = _files("xnli", data_dir)
    check_language("sw", source)
    with pytest.raises(
        ValueError,
        match=r"Language 'ZH' is not one of task 'xnli' in "
        r"data_source='files'. Accepted: \['ar', .*\]. Did you mean 'zh'\?",
    ):
        check_language("ZH", source)
    # XNLI has Swahili, the sample has not.
    with pytest.raises(ValueError, match="'sw' is not .*data_source='sample'"):
        check_language("sw", Source(task=TASKS["xnli"], name="sample"))


# Real files.


@pytest.mark.parametrize(
    ("split", "language", "sentences", "tokens", "entities"),
    [
        ("dev", "en", 10000, 80536, "LOC:4834 ORG:4677 PER:4635"),
        ("test", "en", 10000, 80326, "LOC:4657 ORG:4745 PER:4556"),
        ("dev", "kk", 1000, 8039, "LOC:477 ORG:308 PER:367"),
        ("dev", "my", 100, 853, "LOC:60 ORG:30 PER:37"),
        ("dev", "zh", 10000, 213682, "LOC:4222 ORG:3950 PER:3845"),
    ],
)
def test_benchmark_panx(
    shared_data_dir, split, language, sentences, tokens, entities
):
    examples = _files("ner", shared_data_dir).load(split, language)
    found = collections.Counter(
        tag[2:] for e in examples for tag in e.tags if tag.startswith("B-")
    )
    assert len(examples) == sentences
    assert sum(len(e.words) for e in examples) == tokens
    assert " ".join(f"{k}:{found[k]}" for k in sorted(found)) == entities


@pytest.mark.parametrize(
    ("split", "language", "sentences", "tokens"),
    [
        ("train", "en", 21253, 375194),
        ("dev", "en", 3974, 62632),
        ("test", "en", 5440, 84970),
        ("test", "yo", 100, 2664),
        ("test", "th", 1000, 22322),
    ],
)
def test_benchmark_udpos(shared_data_dir, split, language, sentences, tokens):
    examples = _files("pos", shared_data_dir).load(split, language)
    assert len(examples) == sentences
    assert sum(len(e.words) for e in examples) == tokens


@pytest.mark.parametrize(
    ("task", "split", "language", "labels"),
    [
        ("xnli", "test", "en", [1670, 1670, 1670]),
        ("xnli", "test", "hi", [1670, 1670, 1670]),
        ("xnli", "dev", "zh", [830, 830, 830]),
        ("pawsx", "test", "en", [1093, 907]),
        ("pawsx", "dev", "de", [1169, 831]),
        ("pawsx", "train", "en", [4752, 3823]),
    ],
)
def test_benchmark_pairs(shared_data_dir, task, split, language, labels):
    examples = _files(task, shared_data_dir).load(split, language)
    found = collections.Counter(e.label for e in examples)
    assert [found[label] for label in TASKS[task].labels] == labels
    assert len(examples) == sum(labels)
