#!/bin/sh
# Runs the tests of bulk inference on a cluster in .venv-cluster: a cluster is
# of choice, so the pins have no package for it.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f .venv-cluster/ready ]; then
    rm -rf .venv-cluster
    "${PYTHON:-python3}" -m venv .venv-cluster
    .venv-cluster/bin/python -m pip install --quiet \
        --disable-pip-version-check --requirement requirements.txt
    .venv-cluster/bin/python -m pip install --quiet \
        --disable-pip-version-check --editable '.[cluster]' pytest filelock
    : >.venv-cluster/ready
fi
.venv-cluster/bin/python -m pytest tests/serving/bulk/test_on_dask.py -m slow "$@"
