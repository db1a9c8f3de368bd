"""Sets that TensorFlow Datasets has prepared, read without a network."""

import time

import pytest

from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tfds import builder_name
from dlfa_tf.data.tfds import prepared_folder
from dlfa_tf.data.tfds import read_tfds
from dlfa_tf.data.tfds_archives import prepare_tfds

LANGUAGES = {
    "xnli": ["en", "zh"],
    "pawsx": ["de", "en"],
    "ner": ["de", "en"],
    "pos": ["en", "ta", "tl"],
}


@pytest.fixture(scope="module")
def sets(tmp_path_factory, archives):
    """A TFDS folder with small sets of all four tasks."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("sets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tfds.download.DownloadManager,
            "_register_or_validate_checksums",
            lambda *_, **__: None,
        )
        for task, languages in LANGUAGES.items():
            prepare_tfds(TASKS[task], languages, folder, archives)
    return folder


def _source(task, folder):
    return Source(task=TASKS[task], name="tfds", data_dir=str(folder))


pytestmark = pytest.mark.usefixtures("no_network")


@pytest.mark.parametrize(
    ("task", "split", "language", "name"),
    [
        ("xnli", "train", "en", "xtreme_xnli"),
        ("xnli", "dev", "sw", "xnli"),
        ("pawsx", "train", "en", "paws_wiki/labeled_final_tokenized"),
        ("pawsx", "test", "ja", "paws_x_wiki/ja"),
        ("ner", "test", "my", "wikiann/my"),
        ("pos", "test", "el", "xtreme_pos/xtreme_pos_el"),
        ("pos", "test", "ta", "xtreme_pos/xtreme_pos_tl"),
        ("pos", "test", "tl", "xtreme_pos/xtreme_pos_ta"),
    ],
)
def test_builder_name(task, split, language, name):
    assert builder_name(TASKS[task], split, language) == name


@pytest.mark.parametrize("task", TASKS)
def test_builders_and_labels_exist_in_tfds(task):
    import tensorflow_datasets as tfds

    for language in TASKS[task].languages:
        name, _, config = builder_name(TASKS[task], "test", language).partition(
            "/"
        )
        builder = tfds.builder_cls(name)
        assert not config or config in builder.builder_configs


def test_xtreme_pos_still_has_its_languages_swapped():
    from tensorflow_datasets.datasets.xtreme_pos import (
        xtreme_pos_dataset_builder as module,
    )

    assert (module._LANGS["ta"], module._LANGS["tl"]) == ("Tagalog", "Tamil")


def _by_first(examples):
    return sorted(examples, key=lambda e: e.first)


def test_xnli(sets):
    source = _source("xnli", sets)
    assert _by_first(source.load("train", "en")) == [
        PairExample("premise 0", "hyp 0", "contradiction"),
        PairExample("premise 1", "hyp 1", "entailment"),
        PairExample("premise 2", "hyp 2", "neutral"),
    ]
    assert _by_first(source.load("dev", "zh")) == [
        PairExample('zh "dev 0', "zh hyp 0", "neutral"),
        PairExample('zh "dev 1', "zh hyp 1", "neutral"),
    ]
    assert len(source.load("test", "sw")) == 3
    assert source.available("train") == ("en",)
    assert source.available("test") == tuple(sorted(TASKS["xnli"].languages))


def test_pawsx(sets):
    source = _source("pawsx", sets)
    train = _by_first(source.load("train", "en"))
    assert train[1] == PairExample("wiki train a 1", "b 1", "1")
    assert [e.label for e in train] == ["0", "1", "0", "1"]
    assert _by_first(source.load("test", "de"))[0] == PairExample(
        "de test_2k a 0", "b 0", "0"
    )
    assert len(source.load("dev", "de")) == 2
    assert source.available("train") == ("en",)
    assert source.available("dev") == ("de", "en")


def test_ner(sets):
    source = _source("ner", sets)
    for language in ("de", "en"):
        for split in ("train", "dev", "test"):
            sentences = source.load(split, language)
            assert sorted(sentences, key=len_words) == [
                TaggedSentence(("Köln",), ("B-LOC",)),
                TaggedSentence((split, "a:b", "."), ("B-ORG", "I-ORG", "O")),
            ]
    assert source.available("test") == ("de", "en")


def len_words(sentence):
    return len(sentence.words)


def test_pos_words_are_xtremes_and_empty_sentences_are_left_out(sets):
    sentences = _source("pos", sets).load("train", "en")
    assert sorted(sentences, key=len_words) == [
        TaggedSentence(("Go",), ("VERB",)),
        TaggedSentence(("The", "10000", "ab"), ("DET", "NUM", "X")),
    ]


def test_pos_has_no_treebank_of_another_language(sets):
    # English and Hindi mixed, which TFDS' pattern takes in.
    sentences = _source("pos", sets).load("test", "en")
    assert not any("chalo" in sentence.words for sentence in sentences)


def test_pos_of_the_swapped_languages(sets):
    source = _source("pos", sets)
    (tamil,) = source.load("test", "ta")
    (tagalog,) = source.load("test", "tl")
    assert (tamil.words, tagalog.words) == (("தமிழ்",), ("Tumakbo",))
    assert source.available("dev") == ("en", "ta")
    with pytest.raises(FileNotFoundError, match="No dev data for .*'tl'"):
        source.load("dev", "tl")


def test_order_is_the_same_every_time_and_limit_cuts_it(sets):
    source = _source("xnli", sets)
    examples = source.load("test", "en")
    assert source.load("test", "en") == examples
    assert source.load("test", "en", limit=2) == examples[:2]
    assert source.load("test", "en", limit=99) == examples


@pytest.mark.parametrize("task", TASKS)
def test_what_is_not_prepared_is_an_error_at_once(tmp_path, task):
    source = _source(task, tmp_path)
    started = time.monotonic()
    assert source.available("test") == ()
    with pytest.raises(FileNotFoundError) as error:
        source.load("train", "en")
    # Neither TFDS nor the network was waited for.
    assert time.monotonic() - started < 1
    for part in (
        builder_name(TASKS[task], "train", "en"),
        f"trainers.prepare --task={task} --data_source=tfds",
        str(tmp_path),
    ):
        assert part in str(error.value)


def test_folder_of_tfds_must_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match="of TensorFlow Datasets does"):
        _source("pos", tmp_path / "none")
    with pytest.raises(ValueError, match="holds sets of TensorFlow Datasets"):
        Source(task=TASKS["pos"], name="tfds")


def test_newest_version_is_taken(tmp_path):
    for version in ("1.9.0", "1.10.0", "1.10.0.incomplete", "2.0.0"):
        folder = tmp_path / "xnli" / version
        folder.mkdir(parents=True)
        if version != "2.0.0":
            for name in ("features.json", "dataset_info.json"):
                (folder / name).write_text("{}")
    assert prepared_folder(tmp_path, "xnli").name == "1.10.0"
    assert prepared_folder(tmp_path, "wikiann/en") is None


@pytest.mark.parametrize("text", ["", "[]", '{"splits": [1]}'])
def test_damaged_description_is_named(tmp_path, text):
    folder = tmp_path / "xnli" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "features.json").write_text("{}")
    (folder / "dataset_info.json").write_text(text)
    with pytest.raises(ValueError, match=r"dataset_info.json: not what"):
        _source("xnli", tmp_path).load("test", "en")


def _write_set(data_dir, name, config, features, row):
    """Writes a set of one example as TFDS would."""
    import tensorflow_datasets as tfds

    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        config=config,
        version="1.0.0",
        data_dir=data_dir,
        features=features,
        split_datasets={"test": iter([(0, row)])},
    )


def test_example_without_the_language_is_named(tmp_path):
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "premise": tfds.features.Translation(languages=("de", "en")),
            "hypothesis": tfds.features.TranslationVariableLanguages(
                languages=("de", "en")
            ),
            "label": tfds.features.ClassLabel(
                names=["entailment", "neutral", "contradiction"]
            ),
        }
    )
    row = {
        "premise": {"de": "a", "en": "b"},
        "hypothesis": {"en": "c"},
        "label": 1,
    }
    _write_set(tmp_path, "xnli", None, features, row)
    assert read_tfds(TASKS["xnli"], "test", "en", tmp_path) == [
        PairExample("b", "c", "neutral")
    ]
    with pytest.raises(ValueError, match="Example 0 has no .* 'de'.*'en'"):
        read_tfds(TASKS["xnli"], "test", "de", tmp_path)


def test_labels_that_are_not_the_tasks(tmp_path):
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "sentence1": tfds.features.Text(),
            "sentence2": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["no", "yes"]),
        }
    )
    row = {"sentence1": "a", "sentence2": "b", "label": 1}
    _write_set(tmp_path, "paws_x_wiki", "de", features, row)
    with pytest.raises(ValueError, match=r"other labels than task 'pawsx'"):
        read_tfds(TASKS["pawsx"], "test", "de", tmp_path)
