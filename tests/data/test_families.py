"""Families and scripts of languages."""

from dlfa_tf.data.families import FAMILIES
from dlfa_tf.data.families import LATIN_SCRIPT
from dlfa_tf.data.families import by_family
from dlfa_tf.data.families import family
from dlfa_tf.data.families import kin_groups
from dlfa_tf.data.tasks import TASKS


def test_every_language_of_the_benchmark_is_in_one_family():
    listed = [code for codes in FAMILIES.values() for code in codes]
    assert len(listed) == len(set(listed))
    assert set(listed) == {x for task in TASKS.values() for x in task.languages}


def test_order_begins_with_english_and_keeps_relatives_together():
    assert by_family(["zh", "qq", "de", "ru", "en", "bg", "aa"]) == [
        "en",
        "de",
        "bg",
        "ru",
        "zh",
        "aa",
        "qq",
    ]
    assert family("yo") == "Niger-Congo"
    assert family("qq") == ""


def test_groups_by_script_and_family_without_english():
    assert kin_groups(["zh", "de", "en", "ru", "fr", "bg", "nl"]) == {
        "Latin script (3)": ["de", "nl", "fr"],
        "other scripts (3)": ["bg", "ru", "zh"],
        "Germanic (2)": ["de", "nl"],
        "Slavic (2)": ["bg", "ru"],
    }
    assert kin_groups(["en", "zh"]) == {}
    assert set(FAMILIES["Slavic"]).isdisjoint(LATIN_SCRIPT)
