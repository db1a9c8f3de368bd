"""Tests of dlfa_tf/serving/show/page in a real browser."""

import threading

import pytest

from dlfa_tf.serving.show.page_server import PageServer
from tests import browser
from tests.browser import Browser

pytestmark = pytest.mark.programs

LABELS = ["NOUN", "VERB", "<b>X</b>"]
HOSTILE = (
    "<img src=x onerror=document.title='broken'> "
    "<script>document.title='broken'</script> \"' &amp; \u202eabc\u202c "
    "javascript:alert(1) \U0001f600 مرحبا"
)


class Tagger:
    """Tags every word, with shares that grow."""

    def __init__(self, layer, tag):
        self.tag = tag
        self.about = {
            "name": "<i>runs</i>",
            "kind": "tagger",
            "system": "baseline" if layer is None else f"D_{layer}",
            "labels": LABELS,
            "fusion_layer": layer,
            "shows_share": layer is not None,
        }

    def answer(self, texts):
        if "fail" in texts[0]:
            raise ValueError("<u>it failed</u>")
        words = texts[0].split()
        return {
            "words": [
                {
                    "text": word,
                    "tag": self.tag if i else "NOUN",
                    "score": 0.75,
                    "odds": [[self.tag if i else "NOUN", 0.75], ["VERB", 0.25]],
                    "share": (i / len(words))
                    if self.about["shows_share"]
                    else None,
                }
                for i, word in enumerate(words)
            ]
        }


class Classifier:
    about = {
        "name": "runs/pairs",
        "kind": "classifier",
        "system": "D_2",
        "labels": ["no", "yes"],
        "fusion_layer": 2,
        "shows_share": True,
    }

    def answer(self, texts):
        return {
            "label": "yes",
            "odds": [["yes", 0.9], ["no", 0.1]],
            "texts": [
                [{"text": text, "starts": True, "share": 0.4}] for text in texts
            ],
        }


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """`page(answerers, examples)` opens the page of these in a browser."""
    browser.find()
    servers = []
    with Browser(tmp_path_factory.mktemp("browser")) as opened:

        def page(answerers, examples=()):
            server = PageServer(answerers, examples=examples)
            threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.01}
            ).start()
            servers.append(server)
            opened.errors.clear()
            opened.show_as(1100, 800)
            opened.open(server.url, "models.length > 0")
            return opened

        yield page
        for server in servers:
            server.shutdown()
            server.server_close()


def write_and_ask(page, text):
    page.ask("document.activeElement.select?.()")
    page.write(text)
    page.press("Enter", 13, modifiers=2)
    page.wait_for("/tagged|Answered|fail/.test(byId('status').textContent)")


def test_hostile_text_is_shown_as_text(page):
    shown = page([Tagger(9, "<b>X</b>")])
    write_and_ask(shown, HOSTILE)
    words = shown.ask("[...document.querySelectorAll('.word bdi')]"
                      ".map(x => x.textContent)")  # fmt: skip
    assert words == HOSTILE.split()
    assert shown.ask("document.title") == "dlfa_tf: try a model"
    assert shown.ask("document.querySelectorAll('#results img, #results b, "
                     "#results i, body script').length") == 0  # fmt: skip
    assert "<i>runs</i>" in shown.ask("byId('about').textContent")
    # An error of the model is text too.
    write_and_ask(shown, "fail")
    assert "<u>it failed</u>" in shown.ask("byId('status').textContent")
    # The browser notes a reply of 500 by itself, and nothing else.
    assert [e for e in shown.errors if "500" not in e] == []


def test_scripts_in_the_page_are_stopped_by_the_policy(page):
    shown = page([Tagger(9, "VERB")])
    shown.ask(
        "(() => { const x = document.createElement('script'); try { "
        "x.textContent = 'document.title = 1'; document.body.append(x); } "
        "catch {} })()"
    )
    assert shown.ask("document.title") == "dlfa_tf: try a model"
    blocked = "(async () => { try { await fetch('http://127.0.0.1:1/'); "
    blocked += "} catch (e) { return e.name } })()"
    assert shown.ask(blocked) == "TypeError"
    assert any("Content Security Policy" in e for e in shown.errors)


def test_keyboard_alone_goes_everywhere(page):
    shown = page([Tagger(9, "VERB")])
    # The first field has the focus from the start.
    write_and_ask(shown, "one two three")
    focused = "document.activeElement"
    for _ in range(10):
        shown.press("Tab", 9)
        if shown.ask(f"{focused}.className") == "word":
            break
    assert shown.ask(f"{focused}.textContent").startswith("one")
    shown.press("ArrowRight", 39)
    shown.press("Enter", 13, text="\r")
    assert shown.ask(f"{focused}.ariaExpanded") == "true"
    label = shown.ask(f"{focused}.ariaLabel")
    assert label == "two: VERB, 75 %, 33 % from block 9"
    odds = shown.ask("document.querySelector('.odds').innerText")
    assert "VERB" in odds
    assert "75.0 %" in odds
    shown.press("Escape", 27)
    assert shown.ask("document.querySelector('.odds')") is None
    shown.press("End", 35)
    assert shown.ask(f"{focused}.textContent").startswith("three")
    # All words are one stop.
    shown.press("Tab", 9)
    assert shown.ask(f"{focused}.className") != "word"
    assert shown.errors == []


def test_right_to_left_text_runs_from_the_right(page):
    shown = page([Tagger(9, "VERB")], [("ar", ["مرحبا بالعالم abc"])])
    shown.ask("document.querySelector('#examples button').click()")
    shown.wait_for("document.querySelectorAll('.word').length === 3")
    left = "[...document.querySelectorAll('.word')]"
    left = shown.ask(f"{left}.map(x => x.getBoundingClientRect().left)")
    assert left == sorted(left, reverse=True)


def test_two_models_stand_side_by_side(page):
    shown = page([Tagger(9, "VERB"), Tagger(None, "NOUN")])
    write_and_ask(shown, "one two three")
    status = shown.ask("byId('status').textContent")
    assert status == "3 words tagged. The models differ on 2."
    titles = "[...document.querySelectorAll('article h2')]"
    assert shown.ask(f"{titles}.map(x => x.textContent)") == [
        "D_9",
        "baseline",
    ]
    assert shown.ask("document.querySelectorAll('.differs').length") == 4
    strips = "document.querySelectorAll('article .strip').length"
    assert shown.ask(strips) == 3
    tops = f"{titles}.map(x => x.getBoundingClientRect().top)"
    first, second = shown.ask(tops)
    assert first == second
    # The switch leaves the first model alone.
    shown.ask("byId('compare').click()")
    assert shown.ask(f"{titles}.length") == 1
    assert shown.ask("document.querySelectorAll('.differs').length") == 0


def test_pair_is_shown_with_bars_and_pieces(page):
    shown = page([Classifier()])
    shown.ask("byId('second').focus()")
    shown.write("second")
    shown.ask("byId('first').focus()")
    write_and_ask(shown, "first")
    text = shown.ask("byId('results').innerText")
    assert "90.0 %" in text
    widths = "[...document.querySelectorAll('.odds .bar')].map(x => "
    widths += "x.style.getPropertyValue('--part'))"
    assert shown.ask(widths) == ["90.0%", "10.0%"]
    assert "PIECES OF THE SECOND TEXT" in text.upper()
    # One text alone.
    shown.ask("byId('second').value = ' '")
    write_and_ask(shown, "alone")
    shown.wait_for("/Pieces of the text/.test(byId('results').innerText)")
    assert shown.errors == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_phone_shows_all_without_scrolling_sideways(page, dark):
    shown = page([Tagger(9, "VERB"), Tagger(None, "NOUN")])
    shown.show_as(360, 740, dark=dark)
    write_and_ask(shown, "word " * 40 + "x" * 300)
    assert shown.ask("document.documentElement.scrollWidth") <= 360
    assert contrast(shown, ".word") >= 4.5
    assert contrast(shown, ".note") >= 4.5
    assert contrast(shown, "#ask") >= 4.5


def contrast(page, selector):
    """WCAG's contrast of an element's text to what is behind it."""
    script = f"""(() => {{
      const canvas = new OffscreenCanvas(1, 1).getContext('2d');
      const light = (colour) => {{
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const part = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
          .map(x => x / 255)
          .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
      }};
      let behind = document.querySelector({selector!r});
      const text = light(getComputedStyle(behind).color);
      while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)')
        behind = behind.parentElement;
      const back = light(getComputedStyle(behind).backgroundColor);
      const [low, high] = [text, back].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    }})()"""
    return page.ask(script)
