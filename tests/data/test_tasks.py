"""The tasks are those of XTREME, version 1."""

import dataclasses
import os
from pathlib import Path

import pytest

from dlfa_tf.data import tasks
from dlfa_tf.data.tasks import NER_TAGS
from dlfa_tf.data.tasks import SAMPLE_LANGUAGES
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import UPOS_TAGS
from dlfa_tf.data.tasks import find_task
from dlfa_tf.data.tasks import get_task

# As evaluate.py of google-research/xtreme lists them, in its own order.
XTREME = {
    "xnli": "ar bg de el en es fr hi ru sw th tr ur vi zh",
    "pawsx": "de en es fr ja ko zh",
    "ner": "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr "
    "it pt es bg ru ja ka ko th sw yo my zh kk tr et fi hu",
    "pos": "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl "
    "pt ru ta te th tl tr ur vi yo zh",
}
COUNTS = {"xnli": 15, "pawsx": 7, "ner": 40, "pos": 33}


@pytest.mark.parametrize("name", TASKS)
def test_languages_are_those_of_xtreme(name):
    languages = TASKS[name].languages
    assert sorted(languages) == sorted(XTREME[name].split())
    assert len(languages) == len(set(languages)) == COUNTS[name]
    assert list(languages) == sorted(languages)


def test_names():
    assert list(TASKS) == ["xnli", "pawsx", "ner", "pos"]
    for name, task in TASKS.items():
        assert task.name == name
        assert get_task(name) is task


def test_labels():
    assert TASKS["xnli"].labels == ("contradiction", "entailment", "neutral")
    assert TASKS["pawsx"].labels == ("0", "1")
    assert TASKS["ner"].labels == NER_TAGS
    assert TASKS["pos"].labels == UPOS_TAGS


def test_tag_sets():
    assert set(NER_TAGS) == {"O"} | {
        f"{part}-{kind}" for part in "BI" for kind in ("PER", "ORG", "LOC")
    }
    assert len(NER_TAGS) == 7
    # universaldependencies.org/u/pos
    assert " ".join(UPOS_TAGS) == (
        "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ "
        "SYM VERB X"
    )


@pytest.mark.parametrize(
    ("name", "kind", "score", "epochs", "folder"),
    [
        ("xnli", "pair", "accuracy", 5, "xnli"),
        ("pawsx", "pair", "accuracy", 5, "pawsx"),
        ("ner", "tagging", "ner_f1", 10, "panx"),
        ("pos", "tagging", "pos_f1", 10, "udpos_fused"),
    ],
)
def test_settings_are_those_of_xtremes_scripts(
    name, kind, score, epochs, folder
):
    task = TASKS[name]
    assert (task.kind, task.score, task.epochs) == (kind, score, epochs)
    assert (task.learning_rate, task.batch_size) == (2e-5, 32)
    assert (task.weight_decay, task.adam_epsilon) == (0.0, 1e-8)
    assert (task.clip_norm, task.sequence_length) == (1.0, 128)
    assert task.report_split == "test"
    assert task.folder == folder


@pytest.mark.parametrize(
    ("name", "meant"),
    [("panx", "ner"), ("WikiANN", "ner"), ("udpos", "pos"), ("ud", "pos")],
)
def test_names_that_others_use_are_understood(name, meant):
    with pytest.raises(ValueError, match=f"mean '{meant}'"):
        get_task(name)


def test_the_sample_has_languages_of_every_task_but_pawsx():
    for name in ("xnli", "ner", "pos"):
        assert set(SAMPLE_LANGUAGES) <= set(TASKS[name].languages)
    assert list(SAMPLE_LANGUAGES) == sorted(SAMPLE_LANGUAGES)


def test_tasks_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASKS["ner"].epochs = 1


@pytest.mark.parametrize(
    ("typo", "nearest"),
    [
        ("xnl", "xnli"),
        ("XNLI", "xnli"),
        ("paws-x", "pawsx"),
        ("poss", "pos"),
    ],
)
def test_get_task_offers_the_nearest_name(typo, nearest):
    with pytest.raises(
        ValueError,
        match=rf"`task` is unknown. Received: '{typo}'. Accepted: "
        rf"\['ner', 'pawsx', 'pos', 'xnli'\], or a task file, FILE.toml. Did "
        rf"you mean '{nearest}'\?",
    ):
        get_task(typo)


def test_get_task_offers_nothing_far_away():
    with pytest.raises(ValueError, match=r"FILE.toml\.$"):
        get_task("translation")


@pytest.mark.parametrize("value", [None, 3, ["pos"]])
def test_what_is_no_name_and_no_path_is_refused(value):
    with pytest.raises(TypeError, match="`task` must be a name or a path. Rec"):
        find_task(value)


def test_task_files_are_paths_as_all_others(tmp_path):
    path = Path(tasks.__file__).parent / "examples" / "intents" / "task.toml"
    assert find_task(path) == find_task(os.fsencode(path)) == (
        find_task(str(path)))  # fmt: skip
    assert find_task(b"pos") is TASKS["pos"]
