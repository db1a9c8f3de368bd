"""Shows a folder the libraries of requirements.txt and no others.

python -m tools.pinned_libraries FOLDER

Links to what these distributions brought into this environment are put into
FOLDER. What is tried with it sees no tool of the developers, as the environment
of a user does not.
"""

import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def pinned_names(name: str = "requirements.txt") -> list[str]:
    """Names in a list of pins."""
    text = (ROOT / name).read_text("utf-8")
    return re.findall(r"(?m)^([\w.-]+)==", text)


def top_level_paths(name: str) -> set[Path]:
    """What a distribution has put directly into site-packages."""
    distribution = metadata.distribution(name)
    places = [
        path.parts[0]
        for path in distribution.files or ()
        if path.parts[0] not in ("..", "__pycache__")
    ]
    return {Path(distribution.locate_file(place)) for place in places}


def link_libraries(folder: Path) -> int:
    """Puts the links into `folder`; returns how many distributions."""
    found = 0
    for name in pinned_names():
        try:
            paths = top_level_paths(name)
        except metadata.PackageNotFoundError:
            continue  # of another system, such as colorama
        found += 1
        for path in paths:
            link = folder / path.name
            if not link.is_symlink():
                link.symlink_to(path)
    return found


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    print(f"{link_libraries(target)} distributions from requirements.txt")
