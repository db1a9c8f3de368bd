"""Puts the pages of the site together: documents as they are, and a reference.

python -m tools.stage_docs FOLDER

Documents keep their places, so that their links hold; what they link to beside
documents is copied, or becomes a page that shows it. Needs no library.
"""

import ast
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Packages whose public names the reference shows.
PACKAGES = (
    "layers",
    "models",
    "preprocessing",
    "data",
    "metrics",
    "analysis",
    "serving",
)
FOLDERS = (
    "docs",
    "deploy",
    "saved_models",
    "benchmarks",
    "dlfa_tf",
)
STYLE = Path("docs") / "site.css"
_LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")


def documents(root: Path) -> list[Path]:
    """All documents of the project, by their paths in it."""
    found = [*root.glob("*.md")]
    for folder in FOLDERS:
        found += (root / folder).rglob("*.md")
    return sorted(path.relative_to(root) for path in found)


def stage(root: Path, folder: Path) -> None:
    """Writes all pages below `folder`, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    known = set(documents(root))
    for document in known:
        text = (root / document).read_text("utf-8")
        _write(folder / document, _with_links(text, root, document, folder))
    for path in sorted(root.glob("notebooks/*.ipynb")):
        place = path.relative_to(root)
        text = _with_links(notebook_text(path), root, place, folder)
        _write(folder / f"{place}.md", text)
    for package in PACKAGES:
        _write(folder / "api" / f"{package}.md", reference(root, package))
    _write(folder / "api" / "dlfa_tf.md", root_reference(root))
    pictures = Path("docs") / "pictures"
    shutil.copytree(root / pictures, folder / pictures, dirs_exist_ok=True)
    shutil.copy(root / STYLE, folder / STYLE)


def _with_links(text: str, root: Path, document: Path, folder: Path) -> str:
    """The text, with links to what is no document mended.

    A file is shown by a page of its own, a folder by the document in it; where
    there is none, the words stay without a link.
    """

    def mend(match: re.Match) -> str:
        link, anchor = match[1], match[2] or ""
        if re.match(r"[a-z][a-z+.-]*:", link):
            return match[0]
        target = (root / document.parent / link).resolve()
        if not target.is_relative_to(root) or not target.exists():
            return match[0]
        if target.is_dir():
            inside = target / "README.md"
            if not inside.is_file():
                return "]" + "(#)"
            return f"]({link.rstrip('/')}/README.md{anchor})"
        place = target.relative_to(root)
        if target.suffix in (".md", ".png"):
            return match[0]
        if target.suffix == ".ipynb":
            return f"]({link}.md{anchor})"
        page = folder / f"{place}.md"
        fence = "`````"
        kind = target.suffix.removeprefix(".")
        _write(
            page,
            "---\nsearch:\n  exclude: true\n---\n"
            f"# {place}\n\n{fence}{kind}\n{target.read_text('utf-8')}{fence}\n",
        )
        return f"]({link}.md)"

    # Why a block is not run is for the tests; a site would not see the block.
    text = re.sub(r"(?m)^(\s*`{3,}\w+) no-run.*$", r"\1", text)
    return _LINK.sub(mend, text)


def notebook_text(path: Path) -> str:
    """A notebook as Markdown: its text, and its code in blocks."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        is_code = cell["cell_type"] == "code"
        parts.append(f"```python\n{source}\n```" if is_code else source)
    # Below the title, which is the first line of the first cell.
    title, _, rest = parts[0].partition("\n")
    parts[0] = (
        f"{title}\n\n`make notebooks` runs `notebooks/{path.name}`.\n{rest}"
    )
    return "\n\n".join(parts) + "\n"


def reference(root: Path, package: str) -> str:
    """The page of a package: every public name, from its docstring."""
    source = (root / "dlfa_tf" / package / "__init__.py").read_text("utf-8")
    tree = ast.parse(source)
    summary = (ast.get_docstring(tree) or "").splitlines()[0]
    # Who looks for a name wants its page, not all those called `dlfa_tf...`.
    boost = {"layers": 4, "models": 2}.get(package, 1)
    lines = ["---", "search:", f"  boost: {boost}", "---"]
    lines += [f"# dlfa_tf.{package}", "", summary, ""]
    names = sorted(public_names(tree, f"dlfa_tf.{package}"))
    check_documented(root, names)
    for name, module in names:
        lines += [f"::: {module}.{name}", ""]
    return "\n".join(lines)


def root_reference(root: Path) -> str:
    """The page of the names that `import dlfa_tf` hands out."""
    tree = ast.parse((root / "dlfa_tf" / "__init__.py").read_text("utf-8"))
    lines = ["# dlfa_tf", "", ast.get_docstring(tree) or "", ""]
    for name, module in sorted(_mapping(tree).items()):
        page = module.removeprefix("dlfa_tf.")
        lines.append(f"- [`dlfa_tf.{name}`]({page}.md)")
    return "\n".join(lines) + "\n"


def public_names(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """Public names of a package's `__init__`, and the modules they are in."""
    places = _mapping(tree)
    if places:
        for name, module in places.items():
            yield name, f"{package}.{module}"
        return
    exported = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "__all__"
    )
    modules = {
        alias.asname or alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for name in exported:
        yield name, str(modules[name])


def check_documented(root: Path, names: list[tuple[str, str]]) -> None:
    """Refuses public classes and functions without a docstring."""
    missing = []
    for name, module in names:
        path = root / module.replace(".", "/")
        file = path.with_suffix(".py")
        if path.is_dir():
            file = path / "__init__.py"
        kinds = (ast.ClassDef, ast.FunctionDef)
        found = [
            node
            for node in ast.parse(file.read_text("utf-8")).body
            if isinstance(node, kinds) and node.name == name
        ]
        if found and not ast.get_docstring(found[0]):
            missing.append(f"{module}.{name}")
    if missing:
        raise ValueError(
            f"Public names have no docstring. Received: {missing}. Accepted: "
            "one sentence at least, what the name is for."
        )


def _mapping(tree: ast.Module) -> dict[str, str]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            if getattr(node.targets[0], "id", "") == "_PUBLIC":
                return ast.literal_eval(node.value)
    return {}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    stage(ROOT, ROOT / sys.argv[1])
