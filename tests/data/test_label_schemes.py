"""Tags that break their scheme."""

import dataclasses

import pytest

from dlfa_tf.data import label_schemes
from dlfa_tf.data.tasks import TASKS


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        ("IOB2", "O B-PER I-PER O B-LOC B-LOC", 0),
        ("IOB2", "I-PER O", 1),
        ("IOB2", "O I-PER I-PER", 1),
        ("IOB2", "B-PER I-LOC I-LOC", 1),
        ("IOB2", "B-PER O I-PER", 1),
        ("IOBES", "S-PER B-PER I-PER E-PER O", 0),
        ("IOBES", "B-PER O", 1),
        ("IOBES", "B-PER E-LOC", 1),
        ("IOBES", "B-PER I-PER", 1),
        ("IOBES", "E-PER", 1),
        ("IOBES", "B-PER S-PER", 1),
        ("BILOU", "U-PER B-LOC L-LOC", 0),
        ("BILOU", "L-LOC", 1),
        ("IOB2", "", 0),
    ],
)
def test_broken_tags_are_counted(scheme, tags, expected):
    assert label_schemes.count_broken(tags.split(), scheme) == expected


def test_scheme_of_tasks():
    assert label_schemes.scheme_of(TASKS["ner"]) == "IOB2"
    assert label_schemes.scheme_of(TASKS["pos"]) is None
    assert label_schemes.scheme_of(TASKS["xnli"]) is None
    own = dataclasses.replace(TASKS["ner"], score="chunk_f1", scheme="BILOU")
    assert label_schemes.scheme_of(own) == "BILOU"
