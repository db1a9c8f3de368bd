"""Runs the examples of the documents and docstrings, and follows their links.

Examples in documents stand alone. Those in docstrings find `dlfa_tf` imported.
A block of a document is left out only with a reason in its opening line:

    ```python no-run (downloads a model)
"""

import ast
import contextlib
import doctest
import importlib
import io
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "deploy", "saved_models", "benchmarks")
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(file for name in FOLDERS for file in (ROOT / name).rglob("*.md")),
    ]
)
DOCUMENT_IDS = [file.relative_to(ROOT).as_posix() for file in DOCUMENTS]
SECTION = re.compile(r"^(\w[\w ]*):\s*$")


def find_blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """Fenced blocks as (line of the first content, info string, content)."""
    fence = info = None
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.match(r"^(\s*)(`{3,}|~{3,})\s*(.*)$", line)
        if fence is None and match:
            fence, info, start, lines = match[2], match[3], number + 1, []
        elif fence and match and match[2].startswith(fence) and not match[3]:
            yield start, info.strip(), textwrap.dedent("\n".join(lines))
            fence = None
        elif fence:
            lines.append(line)


def is_excluded(info: str) -> bool:
    """Whether a block is not run, by its opening line.

    Raises:
        ValueError: when it is excluded without a reason.
    """
    words = info.split(maxsplit=2)
    if "no-run" not in words[1:2]:
        return False
    if len(words) < 3 or len(words[2].strip("(): ")) < 8:
        raise ValueError(
            f"a block that is not run needs a reason. Received `{info}`. "
            "Accepted: `python no-run (reason)`."
        )
    return True


def find_example(docstring: str) -> str | None:
    """Code of the `Example:` section of a docstring, None without one."""
    lines = iter(docstring.splitlines())
    for line in lines:
        if line in ("Example:", "Examples:"):
            break
    else:
        return None
    code = []
    for line in lines:
        if SECTION.match(line):
            break
        code.append(line)
    text = textwrap.dedent("\n".join(code)).strip("\n")
    blocks = [content for _, _, content in find_blocks(text)]
    return "\n".join(blocks) if blocks else text


def _document_examples() -> Iterator:
    for document, name in zip(DOCUMENTS, DOCUMENT_IDS, strict=True):
        for line, info, code in find_blocks(document.read_text("utf-8")):
            if info.split()[:1] == ["python"]:
                yield pytest.param(line, info, code, id=f"{name}-line-{line}")


def _documented(tree: ast.AST, prefix: str) -> Iterator[tuple[str, str]]:
    """Public classes, functions and methods: (name, docstring)."""
    for node in ast.iter_child_nodes(tree):
        kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, kinds) and not node.name.startswith("_"):
            name = f"{prefix}.{node.name}"
            yield name, ast.get_docstring(node) or ""
            if isinstance(node, ast.ClassDef):
                yield from _documented(node, name)


# An export takes ten seconds to write.
SLOW = {
    "dlfa_tf.serving.export.export_module.export_saved_model",
    "dlfa_tf.serving.export.lint.check_export",
}


def _docstring_examples() -> Iterator:
    for file in sorted((ROOT / "dlfa_tf").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        tree = ast.parse(file.read_text("utf-8"))
        documented = [(module, ast.get_docstring(tree) or "")]
        documented += _documented(tree, module)
        for name, docstring in documented:
            code = find_example(docstring)
            if code is not None:
                marks = [pytest.mark.slow] if name in SLOW else []
                yield pytest.param(name, code, id=name, marks=marks)


def run_example(code: str, namespace: dict) -> None:
    """Runs code in the namespace; with `>>>` its output is compared too."""
    if ">>> " in code:
        test = doctest.DocTestParser().get_doctest(
            code, namespace, "example", None, 0
        )
        report = io.StringIO()
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        runner = doctest.DocTestRunner(optionflags=flags)
        runner.run(test, out=report.write)
        assert not runner.summarize(verbose=False).failed, report.getvalue()
        return
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, "<example>", "exec"), namespace)


@pytest.mark.programs
@pytest.mark.parametrize(("line", "info", "code"), list(_document_examples()))
def test_document_example_runs(line, info, code, tmp_path, monkeypatch, eager):
    if is_excluded(info):
        ast.parse(code)
        pytest.skip(f"marked {info}")
    monkeypatch.chdir(tmp_path)
    run_example("\n" * (line - 1) + code, {"__name__": "example"})


@pytest.mark.programs
@pytest.mark.parametrize(("name", "code"), list(_docstring_examples()))
def test_docstring_example_runs(name, code, tmp_path, monkeypatch, eager):
    assert code.strip(), "the section is empty"
    monkeypatch.chdir(tmp_path)
    package = importlib.import_module("dlfa_tf")
    if name in SLOW:
        # An export is traced, of course.
        tf.config.run_functions_eagerly(False)
    run_example(code, {"__name__": "example", "dlfa_tf": package})


def examples() -> Iterator[str]:
    """Code of all examples that are run, of documents and docstrings."""
    for parameter in _document_examples():
        _, info, code = parameter.values
        if not is_excluded(info):
            yield code
    for parameter in _docstring_examples():
        yield parameter.values[1]


def anchors(text: str) -> set[str]:
    """Names that links may use for the headings of a document."""
    found = set()
    for match in re.finditer(r"^#{1,6}\s+(.+?)\s*#*$", text, re.MULTILINE):
        title = re.sub(r"[^\w\- ]", "", match[1].lower())
        found.add(title.replace(" ", "-"))
    return found


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative links of a document that lead nowhere."""
    prose = re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.M | re.S)
    prose = re.sub(r"`[^`\n]*`", "", prose)
    links = re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", prose)
    links += re.findall(r"^\[[^\]]+\]:\s+(\S+)", prose, re.MULTILINE)
    links += re.findall(r"<img[^>]*\bsrc=\"([^\"]+)\"", prose)
    broken = []
    for link in links:
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = folder / path if path else None
        if target and not target.exists():
            broken.append(link)
        elif anchor and (target is None or target.suffix == ".md"):
            if anchor not in anchors(target.read_text() if target else text):
                broken.append(link)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=DOCUMENT_IDS)
def test_relative_links_lead_somewhere(document):
    text = document.read_text("utf-8")
    assert broken_links(text, document.parent) == []


def wrong_commands(text: str) -> list[str]:
    """Commands in shell blocks that name no target, module or flag file."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    wrong = []
    for _, info, block in find_blocks(text):
        if info.split()[:1] not in (["bash"], ["sh"], ["console"]):
            continue
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            for command in re.split(r"&&|\|\||;|\|", line.lstrip("$ ")):
                words = command.split("#")[0].split()
                while words and re.match(r"[A-Z_]+=", words[0]):
                    del words[0]
                if words[:1] == ["make"]:
                    named = [w for w in words[1:] if re.match(r"[a-z]", w)]
                    wrong += [command for w in named if w not in targets]
                match = re.search(
                    r"python[\d.]* -m ((?:trainers|benchmarks|dlfa_tf)[\w.]*)",
                    " ".join(words),
                )
                if match:
                    path = match[1].replace(".", "/")
                    if not (ROOT / f"{path}.py").is_file():
                        wrong.append(command)
    return [command.strip() for command in wrong]


@pytest.mark.parametrize("document", DOCUMENTS, ids=DOCUMENT_IDS)
def test_shell_commands_name_what_exists(document):
    assert wrong_commands(document.read_text("utf-8")) == []


def test_find_blocks_reads_fences():
    text = "a\n```python no-run (too slow here)\nx = 1\n```\n~~~\ny\n~~~\n"
    assert list(find_blocks(text)) == [
        (3, "python no-run (too slow here)", "x = 1"),
        (6, "", "y"),
    ]


def test_is_excluded_demands_a_reason():
    assert not is_excluded("python")
    assert is_excluded("python no-run (downloads a model)")
    with pytest.raises(ValueError, match="needs a reason"):
        is_excluded("python no-run")


def test_find_example_takes_the_section_only():
    docstring = (
        "Adds.\n\nExample:\n    x = 1\n    if x:\n        y = 2\n\n"
        "Reference:\n    - a book\n"
    )
    assert find_example(docstring) == "x = 1\nif x:\n    y = 2"
    assert find_example("Adds.\n\nReturns:\n    Nothing.\n") is None


def test_run_example_fails_on_wrong_output():
    run_example(">>> 1 + 1\n2", {})
    with pytest.raises(AssertionError, match="Expected"):
        run_example(">>> 1 + 1\n3", {})


def test_broken_links_are_found(tmp_path):
    (tmp_path / "there.md").write_text("# A `title`, here\n")
    text = (
        "[a](there.md) [b](there.md#a-title-here) [c](gone.md)\n"
        "[d](there.md#gone) [e](https://example.org) `[f](code.md)`\n"
    )
    assert broken_links(text, tmp_path) == ["gone.md", "there.md#gone"]


def test_wrong_commands_are_found():
    text = (
        "```bash\nmake test\nmake -j2 nothing TASK=pos\n"
        "X=1 .venv/bin/python -m trainers.nothing --flag=1\n```\n"
        "```python\nmake nothing\n```\n"
    )
    assert wrong_commands(text) == [
        "make -j2 nothing TASK=pos",
        "X=1 .venv/bin/python -m trainers.nothing --flag=1",
    ]
