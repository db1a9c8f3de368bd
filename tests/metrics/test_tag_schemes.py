"""F1 of entities in a scheme that is named."""

import numpy as np
import pytest

from dlfa_tf.metrics import entity_f1
from dlfa_tf.metrics import ner_f1

# The same entities in each scheme; the last word is wrong in `FOUND`.
GOLD = {
    "IOB2": ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "O"],
    "IOBES": ["B-PER", "E-PER", "O", "S-LOC", "S-LOC", "O"],
    "BILOU": ["B-PER", "L-PER", "O", "U-LOC", "U-LOC", "O"],
}
FOUND = {
    "IOB2": ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O"],
    "IOBES": ["B-PER", "E-PER", "O", "B-LOC", "E-LOC", "O"],
    "BILOU": ["B-PER", "L-PER", "O", "B-LOC", "L-LOC", "O"],
}


@pytest.mark.parametrize("scheme", GOLD)
def test_schemes_score_the_same_entities_alike(scheme):
    scores = entity_f1([GOLD[scheme]], [FOUND[scheme]], scheme)
    assert scores == pytest.approx(
        {"f1": 40.0, "precision": 50.0, "recall": 100 / 3}
    )
    assert entity_f1([GOLD[scheme]], [GOLD[scheme]], scheme)["f1"] == 100.0


def test_agrees_with_seqeval():
    from seqeval.metrics import f1_score

    random = np.random.default_rng(0)
    tags = {
        "IOB2": ["O", "B-A", "I-A", "B-B", "I-B"],
        "IOBES": ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "E-B"],
    }
    for scheme, names in tags.items():
        gold, found = (
            [list(random.choice(names, size=7)) for _ in range(30)]
            for _ in range(2)
        )
        expected = 100 * f1_score(gold, found)
        assert entity_f1(gold, found, scheme)["f1"] == pytest.approx(expected)
    assert entity_f1([GOLD["IOB2"]], [FOUND["IOB2"]]) == ner_f1(
        [GOLD["IOB2"]], [FOUND["IOB2"]]
    )


@pytest.mark.parametrize(
    ("tags", "scheme", "message"),
    [
        (["S-A"], "IOB2", r"scheme IOB2 does not have. Received: \['S-A'\]"),
        (["L-A"], "IOBES", r"\['L-A'\]. Accepted: O, B-TYPE, I-TYPE, E-TYPE"),
        (["ORG"], "BILOU", r"\['ORG'\]"),
        (["O"], "BIO", "`scheme` is unknown. Received: 'BIO'"),
    ],
)
def test_tags_of_another_scheme_are_refused(tags, scheme, message):
    with pytest.raises(ValueError, match=message):
        entity_f1([tags], [tags], scheme)
