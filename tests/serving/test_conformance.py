"""Exports through the C API: the server's own loader and session."""

import os

import pytest

from dlfa_tf.data.tasks import TASKS
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.runs import load
from dlfa_tf.serving.export import export_module
from dlfa_tf.serving.export.dequantised_weights import weights_only
from tests.serving.asking import CApi
from tests.serving.conformance import RANGES
from tests.serving.conformance import check_answers
from tests.serving.conformance import check_hostile
from tests.serving.conformance import check_random
from tests.serving.conformance import random_texts
from tests.serving.conftest import LABELS
from tests.serving.conftest import build

SOME = 200
MANY = 10_000
# A thousandth of the size that the slow test sends.
FIVE_KILOBYTES = 5 * 2**10
# A run folder, and a float32 export of it.
RUN, EXPORT = "DLFA_TF_RUN", "DLFA_TF_EXPORT"


@pytest.fixture(
    scope="module",
    params=[
        "tagger",
        "classifier",
        # One more export, which differs from a classifier's by its inputs.
        pytest.param("single_classifier", marks=pytest.mark.slow),
    ],
)
def small(request):
    """Kind, model and asker of an export."""
    kind = request.param
    model = request.getfixturevalue(kind)
    asker = CApi(request.getfixturevalue(f"{kind}_export"))
    yield kind, model, asker
    asker.close()


@pytest.fixture(scope="module")
def single_classifier():
    """A classifier of single texts, mean pooling."""
    model = build(DLFATextClassifier, "tiny", LABELS, sentence_pooling="mean")
    # As training on single texts sets it.
    model.num_texts = 1
    return model


@pytest.fixture(scope="module")
def single_classifier_export(single_classifier, exported):
    return exported(single_classifier, "single_classifier")


def test_signatures_answer_as_the_model_does(small):
    kind, model, asker = small
    check_answers(asker, model, kind)


def test_hostile_requests_do_no_harm(small):
    kind, _, asker = small
    check_hostile(asker, kind, size=FIVE_KILOBYTES)


def test_random_strings_are_answered(small, seed):
    kind, model, asker = small
    check_random(asker, model, kind, SOME, seed)


def test_random_strings_are_of_many_scripts(seed):
    texts = random_texts(SOME, seed)
    letters = {ord(letter) for text in texts for letter in text}
    met = {
        name
        for name, (low, high) in RANGES.items()
        if any(low <= letter <= high for letter in letters)
    }
    assert met == set(RANGES)
    assert len(RANGES) > 13


def test_weights_in_int8_are_made_floats_at_load(exported):
    model = build(DLFATextClassifier, "tiny_sentencepiece", LABELS)
    model.quantize(config=weights_only())
    asker = CApi(exported(model, "xnli-int8"))
    check_answers(asker, model, "classifier")
    asker.close()


@pytest.mark.slow
@pytest.mark.parametrize("tokenizer", ["tiny", "tiny_sentencepiece"])
@pytest.mark.parametrize("task", list(TASKS))
def test_every_task_with_both_tokenizers(task, tokenizer, exported, seed):
    """D_1 and the baseline, in turn; 10,000 random strings each."""
    kind = "tagger" if TASKS[task].kind == "tagging" else "classifier"
    cls = DLFATokenClassifier if kind == "tagger" else DLFATextClassifier
    fused = (list(TASKS).index(task) + (tokenizer == "tiny")) % 2
    model = build(cls, tokenizer, list(TASKS[task].labels), fused or None)
    asker = CApi(exported(model, f"{task}-{tokenizer}"))
    try:
        check_answers(asker, model, kind)
        check_hostile(asker, kind)
        check_random(asker, model, kind, MANY, seed)
        check_answers(asker, model, kind)
    finally:
        asker.close()


@pytest.mark.weights
@pytest.mark.slow  # a model of any size
def test_export_of_a_run(seed):
    """For encoders of true size: see docs/mbert.md."""
    if not (os.environ.get(RUN) and os.environ.get(EXPORT)):
        pytest.skip(f"{RUN} and {EXPORT} name no run and no export of it")
    model = load.load_model(os.environ[RUN])
    kind = export_module.kind_of(model)
    asker = CApi(os.environ[EXPORT])
    try:
        check_answers(asker, model, kind)
        check_hostile(asker, kind, size=FIVE_KILOBYTES)
        check_random(asker, model, kind, SOME, seed)
    finally:
        asker.close()
