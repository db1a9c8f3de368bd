"""Scripts of languages and texts."""

import pytest

from dlfa_tf.data import scripts
from dlfa_tf.data import tasks


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ru", "Привет, мир 7", 1.0),
        ("ru", "Hello", 0.0),
        ("ru", "да no", 0.5),
        ("ja", "東京タワーへ", 1.0),
        ("zh", "赵婷婷", 1.0),
        ("hi", "नमस्ते", 1.0),
        ("fa", "می\u200cخواهم", 1.0),
        ("kk", "Қазақ Qazaq", 1.0),
        ("en", "2019 — ?", None),
        ("xx", "text", None),
    ],
)
def test_share_of_letters(language, text, expected):
    assert scripts.share_of_script(language, [text]) == expected


def test_scripts_of_all_languages_of_the_benchmark_are_known():
    for task in tasks.TASKS.values():
        assert all(scripts.scripts_of(x) for x in task.languages)
    assert scripts.names_of_scripts("ja") == "Cjk, Hiragana, Katakana"
