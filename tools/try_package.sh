#!/bin/sh
# Builds the wheel into dist/, installs it alone into a scratch environment and
# uses it from a directory that has no sight of the sources. The libraries it
# sees are those of requirements.txt, linked from .venv, and no tool of ours.
set -eu
cd "$(dirname "$0")/.."
python=$(pwd)/.venv/bin/python
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "Building the wheel"
rm -rf build dist
"$python" -m build --wheel --no-isolation --outdir dist . >"$scratch/log" 2>&1 \
    || { cat "$scratch/log" >&2; exit 1; }
rm -rf build ./*.egg-info
ls -l dist

echo "Installing it into a scratch environment"
"$python" -m venv --without-pip "$scratch/venv"
site=$("$scratch/venv/bin/python" -c \
    'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -m tools.pinned_libraries "$scratch/libraries"
echo "$scratch/libraries" >"$site/libraries.pth"
"$python" -m pip --python "$scratch/venv/bin/python" install --quiet \
    --disable-pip-version-check --no-deps --no-index dist/*.whl

echo "Using it from another directory"
cp tools/use_package.py "$scratch/use_package.py"
cd "$scratch"
TF_CPP_MIN_LOG_LEVEL=2 "$scratch/venv/bin/python" -I use_package.py
