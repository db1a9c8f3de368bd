#!/bin/sh
# Builds the site into site/, in .venv-docs, an environment of its own. Fails at
# a broken link, a public name that is not there, and whatever else is amiss.
set -eu
cd "$(dirname "$0")/.."
python=.venv-docs/bin/python

stamp=$(cksum <requirements-docs.txt)
if [ "$(cat .venv-docs/ready 2>/dev/null)" != "$stamp" ]; then
    rm -rf .venv-docs
    "${PYTHON:-python3}" -m venv .venv-docs
    "$python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --requirement requirements-docs.txt
    echo "$stamp" >.venv-docs/ready
fi
"$python" -m tools.stage_docs build/docs
NO_MKDOCS_2_WARNING=1 "$python" -m mkdocs build --strict
rm -rf build/docs
echo "site/index.html; to search in it: python3 -m http.server --directory site"
