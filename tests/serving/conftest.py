"""Tiny models of both kinds and their exports, written once for all tests."""

import pathlib

import keras
import pytest

from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.serving import export_saved_model
from tests.serving import toy_models

TAGS = ["A", "B", "C", "D"]
LABELS = ["no", "yes"]
# Fewer sizes than the default: optimising the graph takes most of the time.
MAX_BATCH_SIZE = 4
# Of the three that the presets have: a graph holds a copy per signature.
NUM_BLOCKS = 2


def build(cls, preset, labels, fusion_layer=1, **options):
    keras.utils.set_random_seed(5)
    return cls.from_preset(
        preset,
        fusion_layer=fusion_layer,
        last_layer=NUM_BLOCKS,
        labels=labels,
        sequence_length=16,
        **options,
    )


@pytest.fixture(scope="session")
def tagger():
    """A tagger, D_1, WordPiece."""
    return build(DLFATokenClassifier, "tiny", TAGS)


@pytest.fixture(scope="session")
def classifier():
    """A classifier, baseline, SentencePiece."""
    return build(DLFATextClassifier, "tiny_sentencepiece", LABELS, None)


@pytest.fixture(scope="session")
def exported(made_once):
    """Exports a model into a folder that all test processes share."""

    def exported(model, name, version=1) -> pathlib.Path:
        base = made_once(
            f"exports/{name}",
            lambda folder: export_saved_model(
                model,
                folder,
                version,
                max_batch_size=MAX_BATCH_SIZE,
                run={"task": name},
            ),
        )
        return base / str(version)

    return exported


@pytest.fixture(scope="session")
def tagger_export(tagger, exported):
    return exported(tagger, "tagger")


@pytest.fixture(scope="session")
def classifier_export(classifier, exported):
    return exported(classifier, "classifier", version=7)


@pytest.fixture(scope="session")
def toy_tagger(tmp_path_factory):
    """Version folder of a tagger that answers at once."""
    base = tmp_path_factory.mktemp("toys") / "tagger"
    return toy_models.save_tagger(base / "1")


@pytest.fixture(scope="session")
def toy_classifier(tmp_path_factory):
    """Version folder of a classifier that answers at once."""
    base = tmp_path_factory.mktemp("toys") / "classifier"
    return toy_models.save_classifier(base / "1")
