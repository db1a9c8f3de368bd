"""Pieces of a page."""

from dlfa_tf.analysis.report.report_page import Picture
from dlfa_tf.analysis.report.report_page import Section
from dlfa_tf.analysis.report.report_page import figure
from dlfa_tf.analysis.report.report_page import folded
from dlfa_tf.analysis.report.report_page import notes
from dlfa_tf.analysis.report.report_page import page
from dlfa_tf.analysis.report.report_page import paragraph

EVIL = "<script>alert('x')</script> & more"


def test_text_of_data_is_never_markup(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"png")
    picture = figure(Picture(path=path, caption=EVIL + '"'))
    for piece in (paragraph(EVIL), notes([EVIL]), folded(EVIL, EVIL), picture):
        assert "<script" not in piece
    text = page(EVIL, [Section(title=EVIL, parts=["<p>x</p>"])])
    # The page's own script alone.
    assert text.count("<script") == 1
    assert text.count("&lt;script&gt;") == 4


def test_pictures_are_in_the_page(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"png")
    piece = figure(Picture(path=path, caption="what"))
    assert 'alt="what" src="data:image/png;base64,cG5n"' in piece


def test_empty_sections_and_notes_are_left_out():
    text = page("Title", [Section(title="Empty one", parts=["", ""])])
    assert "Empty one" not in text
    assert notes([]) == ""


def test_anchor_is_a_plain_name():
    section = Section(title="XNLI: by language, (test)", parts=[])
    assert section.anchor == "xnli-by-language-test"


def test_nothing_may_be_loaded_from_elsewhere():
    text = page("Title", [])
    assert "default-src 'none'" in text
    assert '<html lang="en">' in text and 'name="viewport"' in text
