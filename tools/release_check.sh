#!/bin/sh
# Tries what would be released: builds wheel and sdist, checks what they say of
# themselves, and installs each, with all that it asks for, into an empty
# environment of every supported Python there is. There, from another folder,
# the README's Python example runs and the commands answer. Needs an index.
set -eu
cd "$(dirname "$0")/.."
python=$(pwd)/.venv/bin/python
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "Building wheel and sdist"
rm -rf build dist
"$python" -m build --no-isolation --outdir dist . >"$scratch/log" 2>&1 \
    || { cat "$scratch/log" >&2; exit 1; }
rm -rf build ./*.egg-info
ls -l dist

echo "Checking their metadata"
"$python" -m uv venv --quiet "$scratch/twine"
"$python" -m uv pip install --quiet --python "$scratch/twine" twine
"$scratch/twine/bin/python" -m twine check --strict dist/*

cp README.md tools/readme_example.py "$scratch"
tried=0
for version in 3.11 3.12; do
    interpreter=python$version
    # A shim of pyenv is there also for a version that is not.
    if ! "$interpreter" -c "" >/dev/null 2>&1; then
        echo "Python $version is not on this machine: not tried"
        continue
    fi
    for file in "$(pwd)"/dist/*; do
        echo "Python $version, $(basename "$file")"
        venv=$scratch/venv
        rm -rf "$venv"
        "$python" -m uv venv --quiet --python "$(command -v "$interpreter")" "$venv"
        "$python" -m uv pip install --quiet --python "$venv" "$file"
        (
            cd "$scratch"
            for command in adapt analyze completion evaluate export predict \
                prepare show sweep train; do
                "$venv/bin/dlfa-$command" --help >/dev/null
            done
            TF_CPP_MIN_LOG_LEVEL=3 "$venv/bin/python" -I readme_example.py \
                README.md
        )
        tried=$((tried + 1))
    done
done
if [ "$tried" = 0 ]; then
    echo "Neither python3.11 nor python3.12 is on this machine" >&2
    exit 1
fi
echo "$tried installations work"
