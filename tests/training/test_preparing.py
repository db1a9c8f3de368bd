"""Tests of what is read and tokenised before training."""

import numpy as np
import pytest

from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.preparing import prepare
from dlfa_tf.training.preparing import read_data


@pytest.fixture
def make(tiny_settings):
    tiny_settings["train_limit"] = 24

    def make(**changes):
        values = {**tiny_settings, **changes}
        return default_config(values.pop("task"), **values)

    return make


def test_limit_takes_from_one_shuffle_whatever_the_seed(make, tiny_settings):
    def chosen(**changes):
        return read_data(make(**changes)).train

    del tiny_settings["train_limit"]
    everything = chosen()
    tiny_settings["train_limit"] = 24
    first = chosen()
    assert len(first) == 24
    assert first == chosen()
    assert first == chosen(seed=2)
    assert first != everything[:24]
    assert all(example in everything for example in first)
    assert chosen(train_limit=10**6) == everything


@pytest.mark.parametrize("compact", [True, False], ids=["compact", "full"])
def test_prepared_arrays_stand_for_the_same_pieces(make, eager, compact):
    config = make(compact_vocabulary=compact)
    data = read_data(config)
    preprocessor = build_model(config).preprocessor
    prepared = prepare(config, data, preprocessor)
    full = prepare(make(compact_vocabulary=False), data, preprocessor)
    assert (prepared.used_ids is not None) == compact
    names = prepared.used_ids if compact else np.arange(10**4)
    for part in ("train", "dev"):
        mine, whole = getattr(prepared, part), getattr(full, part)
        np.testing.assert_array_equal(names[mine.token_ids], whole.token_ids)
        np.testing.assert_array_equal(mine.labels, whole.labels)
    assert names[prepared.pad_id] == preprocessor.pieces.pad_id
    assert prepared.train_examples == 24
    assert prepared.dev_gold == [list(s.tags) for s in data.dev]
    assert prepared.use_segment_ids


@pytest.fixture
def table(tmp_path):
    """A task of pairs in four languages; every text names its file."""
    for split, language, count in (
        ("train", "de", 5), ("train", "en", 6), ("train", "zh", 9),
        ("dev", "de", 2), ("dev", "en", 3), ("dev", "fr", 8),
        ("test", "fr", 2), ("test", "zh", 2),
    ):  # fmt: skip
        rows = [
            f"{split} {language} {i}\tx\t{i % 2}" for i in range(1, count + 1)
        ]
        path = tmp_path / f"{split}-{language}.tsv"
        path.write_text("\n".join(rows), "utf-8")
    path = tmp_path / "task.toml"
    path.write_text(
        'name = "t"\nkind = "pair"\nlabels = ["0", "1"]\n'
        'score = "accuracy"\nsource_languages = ["de"]\n'
        'target_languages = ["en", "fr", "zh"]\n'
    )

    def make(**changes):
        return default_config(
            str(path), output_dir="o", languages=("available",), **changes
        )

    return make


def texts(examples):
    return [example.first for example in examples]


def test_source_languages_are_the_tasks_or_those_asked_for(table):
    data = read_data(table())
    assert table().source_languages == ("de",)
    assert texts(data.train) == [f"train de {i}" for i in range(1, 6)]
    assert texts(data.dev) == ["dev de 1", "dev de 2"]
    data = read_data(table(source_languages=("en", "de"), eval_limit=1))
    assert texts(data.train)[:7] == [
        *(f"train en {i}" for i in range(1, 7)), "train de 1",
    ]  # fmt: skip
    assert texts(data.dev) == ["dev en 1", "dev de 1"]
    with pytest.raises(ValueError, match="Language 'nl' is not one of task"):
        read_data(table(source_languages=("nl",)))
    with pytest.raises(FileNotFoundError, match="No train file.*'fr'"):
        read_data(table(source_languages=("fr",)))


def test_few_shot_examples_are_the_same_for_every_seed(table):
    config = table(target_examples=("zh:4", "fr:3"))
    data = read_data(config)
    assert data == read_data(table(target_examples=("zh:4", "fr:3"), seed=2))
    assert texts(data.train[:5]) == texts(read_data(table()).train)
    assert texts(data.dev) == ["dev de 1", "dev de 2"]
    # French has no train file.
    assert [x["split"] for x in data.few_shot.values()] == ["train", "dev"]
    assert texts(data.train[5:]) == [
        f"{said['split']} {language} {row}"
        for language, said in data.few_shot.items()
        for row in said["rows"]
    ]
    assert len(data.train) == 12
    assert data.few_shot["zh"]["rows"] != [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"target_examples": ("zh:10",)}, ValueError,
         "more than the train file of 'zh' has. Received: 10. Accepted: up "),
        ({"target_examples": ("de:1",)}, ValueError, "of source languages"),
        ({"target_examples": ("zh",)}, ValueError, "such as zh:100"),
        ({"target_examples": ("zh:0",)}, ValueError, "such as zh:100"),
        ({"target_examples": ("zh:1", "zh:2")}, ValueError, "each once"),
        ({"target_examples": ("sw:1",)}, ValueError, "Language 'sw' is not"),
        ({"target_examples": ("fr:1",), "eval_split": "dev"},
         FileNotFoundError, "no train file.*and dev is scored"),
    ],
)  # fmt: skip
def test_few_shot_examples_that_are_refused(table, changes, error, message):
    with pytest.raises(error, match=message):
        read_data(table(**changes))
