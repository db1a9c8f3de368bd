"""Tests of tools.stage_docs, and of the site in a real browser."""

import ast
import functools
import http.server
import importlib
import inspect
import re
import subprocess
import threading
from pathlib import Path

import pytest

from tests import browser
from tests.browser import Browser
from tests.test_documentation import examples
from tests.test_documentation import find_example
from tools import stage_docs

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged") / "docs"
    stage_docs.stage(ROOT, folder)
    return folder


def test_every_page_of_the_menu_is_there(staged):
    pages = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    assert len(pages) > 20
    for page in pages:
        assert (staged / page).is_file(), page
    in_menu = set(pages)
    for document in (ROOT / "docs").glob("*.md"):
        # A new document goes into the menu of mkdocs.yml.
        assert f"docs/{document.name}" in in_menu, document.name


def test_links_lead_to_pages(staged):
    for page in staged.rglob("*.md"):
        text = re.sub(r"(?ms)^(`{3,}).*?^\1", "", page.read_text("utf-8"))
        for link in re.findall(r"\]\(([^)\s#]+)", text):
            if not re.match(r"[a-z][a-z+.-]*:", link):
                assert (page.parent / link).is_file(), f"{page}: {link}"


def test_blocks_begin_as_a_site_reads_them(staged):
    readme = (staged / "README.md").read_text("utf-8")
    assert "```python\nimport keras\n" in readme
    for page in staged.rglob("*.md"):
        text = page.read_text("utf-8")
        assert not re.search(r"(?m)^```\w+ no-run", text), page


def test_reference_has_the_public_names(staged):
    text = (staged / "api" / "serving.md").read_text("utf-8")
    assert "::: dlfa_tf.serving.client.Client\n" in text
    assert "::: dlfa_tf.serving.export.lint.check_export\n" in text
    text = (staged / "api" / "layers.md").read_text("utf-8")
    assert "::: dlfa_tf.layers.dlfa.DLFA\n" in text
    text = (staged / "api" / "dlfa_tf.md").read_text("utf-8")
    assert "[`dlfa_tf.DLFATextClassifier`](models.md)" in text


def test_name_without_a_docstring_is_refused(tmp_path):
    package = tmp_path / "dlfa_tf"
    package.mkdir()
    (package / "a.py").write_text('def f():\n    "Is."\ndef g(): ...\n')
    with pytest.raises(ValueError, match=r"\[.dlfa_tf.a.g.\]"):
        stage_docs.check_documented(
            tmp_path, [("f", "dlfa_tf.a"), ("g", "dlfa_tf.a")]
        )


def public_values():
    """Public names with what they name, by the reference's packages."""
    for package in stage_docs.PACKAGES:
        init = ROOT / "dlfa_tf" / package / "__init__.py"
        tree = ast.parse(init.read_text("utf-8"))
        for name, module in stage_docs.public_names(tree, f"dlfa_tf.{package}"):
            value = getattr(importlib.import_module(module), name)
            yield f"{package}.{name}", value


def test_every_public_name_has_an_example():
    assert [] == [
        name
        for name, value in public_values()
        if inspect.isclass(value) or inspect.isfunction(value)
        if find_example(inspect.getdoc(value)) is None
    ]


# Keras calls them, or the package itself.
HOOKS = re.compile(
    "build|build_pieces|call|compute_.*|get_.*|from_config|compile_from_config|"
    "default_.*|structured_.|check_labels_fit|checked_sample_weight|"
    "weigh_classes|weights_of_labels|preprocess_samples|head_output|"
    "with_sentence_vector|.*_on_batch|.*_task_weights|encode(_words|_signature)?|"
    "as_words|features|label_ids|pack|.*_assets|usual_names|reset_state|result|"
    "merge"
)


def test_every_method_for_users_is_called_in_an_example():
    code = "\n".join(examples())
    missing = set()
    for name, value in public_values():
        if not inspect.isclass(value) or issubclass(value, BaseException):
            continue
        for base in inspect.getmro(value):
            if base.__module__.startswith("dlfa_tf."):
                missing |= {
                    f"{name}.{method}"
                    for method, function in vars(base).items()
                    if not method.startswith("_")
                    if not isinstance(function, property)
                    if callable(getattr(base, method))
                    if not inspect.isclass(function)
                    if not HOOKS.fullmatch(method)
                    if f".{method}(" not in code
                }
    assert missing == set()


# Installs the tools of the site where they are not, and builds it.
@pytest.mark.programs
def test_site_is_found_in_and_read_everywhere(tmp_path):
    browser.find()
    subprocess.run(["sh", "tools/docs.sh"], cwd=ROOT, check=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(ROOT / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            look_at(f"http://127.0.0.1:{server.server_address[1]}/", tmp_path)
        finally:
            server.shutdown()
            thread.join()


def look_at(url, folder):
    with Browser(folder / "light") as page:
        page.show_as(1200, 900)
        page.open(f"{url}index.html")
        page.ask("document.querySelector('.md-search__input').focus()")
        page.write("DLFA")
        found = "[...document.querySelectorAll('.md-search-result h2')]"
        page.wait_for(f"{found}.length > 0")
        assert "DLFA" in page.ask(f"{found}.map(x => x.textContent)")
        assert page.errors == []
    with Browser(folder / "dark") as page:
        page.show_as(390, 844, dark=True)
        for name in ("index", "docs/readers", "docs/glossary", "api/layers"):
            page.open(f"{url}{name}.html")
            width = "document.documentElement.scrollWidth"
            assert page.ask(width) <= 390, name
            colour = "getComputedStyle(document.body).backgroundColor"
            assert max(map(int, re.findall(r"\d+", page.ask(colour)))) < 80
        assert page.errors == []
