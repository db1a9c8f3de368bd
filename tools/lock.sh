#!/bin/sh
# Writes requirements.txt and requirements-dev.txt from pyproject.toml: one
# exact version of everything, the same on every supported Python, and the
# sums of the files that the package index has of it.
# Pass --upgrade to move to the newest versions the ranges allow.
set -eu
cd "$(dirname "$0")/.."

compile() { # title, output file, arguments...
    title=$1
    output=$2
    shift 2
    .venv/bin/python -m uv pip compile --quiet --universal \
        --python-version 3.11 --fork-strategy fewest \
        --no-annotate --no-header --generate-hashes --output-file "$output" "$@"
    {
        echo "# $title"
        echo "# Written by \`make lock\` from pyproject.toml; do not edit."
        cat "$output"
    } >"$output.new"
    mv "$output.new" "$output"
}

compile "What the library and the trainers need, pinned." \
    requirements.txt pyproject.toml "$@"
compile "What the checks and tests need besides, pinned." \
    requirements-dev.txt --group dev --constraint requirements.txt "$@"
compile "What \`make docs\` needs, pinned." requirements-docs.txt --group docs "$@"
compile "What \`make notebooks\` needs besides, pinned." \
    requirements-notebooks.txt --group notebooks --constraint requirements.txt \
    "$@"
