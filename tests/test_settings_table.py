"""Tests of the document that lists the settings of a run."""

from dlfa_tf.adapting.settings import SETTINGS as ADAPT_SETTINGS
from dlfa_tf.runs.settings import SETTINGS
from tools.settings_table import FILE
from tools.settings_table import settings_document


def test_document_is_up_to_date():
    text = FILE.read_text("utf-8")
    assert text == settings_document(), "run `make settings-table`"


def test_document_has_every_setting_once():
    runs, _, adaptations = settings_document().partition("# Settings of an")
    for text, settings in ((runs, SETTINGS), (adaptations, ADAPT_SETTINGS)):
        for name in settings:
            assert text.count(f"\n| `{name}` | ") == 1, name
