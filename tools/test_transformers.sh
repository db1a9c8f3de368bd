#!/bin/sh
# Compares encoders and tokenizers with those of transformers. torch and
# transformers are in .venv-transformers, an environment of their own, and
# write models there; the tests that read them run in .venv. Arguments go to
# pytest. MBERT_VOCABULARY names mBERT's vocab.txt, for a model of its size.
set -eu
cd "$(dirname "$0")/.."

venv=.venv-transformers
if ! [ -f $venv/ready ]; then
    rm -rf $venv
    "${PYTHON:-python3}" -m venv $venv
    # PyTorch's own index has builds without CUDA, a tenth of the size.
    $venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --extra-index-url https://download.pytorch.org/whl/cpu \
        'torch==2.13.0+cpu' 'transformers>=5.24,<6' sentencepiece protobuf
    : >$venv/ready
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
$venv/bin/python tools/write_transformers_models.py "$folder" \
    ${MBERT_VOCABULARY:+"$MBERT_VOCABULARY"} >"$folder/log" 2>&1 || {
    cat "$folder/log" >&2
    exit 1
}
DLFA_TF_TRANSFORMERS=$folder .venv/bin/python -m pytest -rP \
    tests/models/presets/test_transformers.py "$@"
