"""Lists the licences of all pinned packages, and says which are not accepted.

python -m tools.licences            a table, one package a line
python -m tools.licences --check    prints only what is not accepted; exit 1

Read from the metadata of what is installed. Packages of other systems, which
are not, are named as such.
"""

import re
import sys
from importlib import metadata

from tools.pinned_libraries import pinned_names

LISTS = ("requirements.txt", "requirements-dev.txt")
# Names in the metadata, as parts of SPDX expressions, of what permits use and
# sale without a duty on our own code. The Mozilla licence binds only changes
# to its own files, of which there are none.
ACCEPTED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CNRI-Python",
    "MIT",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Zlib",
}
# Where the metadata has no SPDX expression: words of its field or classifier.
_WORDS = {
    r"\bapache\b": "Apache-2.0",
    r"\bMIT\b": "MIT",
    r"mozilla public license 2|\bMPL-2": "MPL-2.0",
    r"python software foundation|\bPSF\b": "PSF-2.0",
    r"2-clause": "BSD-2-Clause",
    r"\bBSD\b": "BSD-3-Clause",
}
# Whose metadata says nothing: read in the file named.
_READ = {"namex": "Apache-2.0"}  # LICENSE of github.com/fchollet/namex


def licence(name: str) -> str | None:
    """SPDX expression of an installed package; None when it is not known."""
    about = metadata.metadata(name)
    if about.get("License-Expression"):
        return about["License-Expression"]
    stated = [
        *(c for c in about.get_all("Classifier") or () if "License" in c),
        (about.get("License") or "").split("\n")[0],
    ]
    for text in stated:
        for words, spdx in _WORDS.items():
            if re.search(words, text, re.IGNORECASE):
                return spdx
    return _READ.get(name)


def is_accepted(expression: str) -> bool:
    """Whether each part of an expression, or one of an `OR`, is accepted."""
    return any(
        all(part.strip("() ") in ACCEPTED for part in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def rows() -> list[tuple[str, str, str]]:
    """Name, version and licence of every pinned package."""
    found = []
    for name in sorted({n for file in LISTS for n in pinned_names(file)}):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            found.append((name, "-", "not installed on this system"))
            continue
        found.append((name, version, licence(name) or "unknown"))
    return found


def refused() -> list[str]:
    """One line for each package whose licence is not accepted."""
    return [
        f"{name} {version}: {expression}. Accepted: "
        f"{', '.join(sorted(ACCEPTED))}"
        for name, version, expression in rows()
        if version != "-" and not is_accepted(expression)
    ]


if __name__ == "__main__":
    problems = refused()
    if "--check" not in sys.argv[1:]:
        for row in rows():
            print("{:26} {:12} {}".format(*row))
    raise SystemExit("\n".join(problems) or None)
