#!/bin/sh
# Runs the tests of bulk inference in .venv-beam, an environment of its own:
# Apache Beam and the pinned sentencepiece need different protobufs.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f .venv-beam/ready ]; then
    rm -rf .venv-beam
    "${PYTHON:-python3}" -m venv .venv-beam
    .venv-beam/bin/python -m pip install --quiet --disable-pip-version-check \
        --editable '.[beam]' pytest filelock
    : >.venv-beam/ready
fi
.venv-beam/bin/python -m pytest tests/serving/bulk/test_on_beam.py \
    tests/trainers/test_predict.py -k "bulk or beam" "$@"
