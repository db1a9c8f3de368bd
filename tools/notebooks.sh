#!/bin/sh
# Runs the notebooks in .venv-notebooks, which has what .venv has and on top of
# it what opens and runs notebooks. Copies with what they printed and drew go to
# build/notebooks/. Arguments: see tools/run_notebooks.py.
set -eu
cd "$(dirname "$0")/.."
python=.venv-notebooks/bin/python

stamp=$(cat requirements.txt requirements-notebooks.txt | cksum)
if [ "$(cat .venv-notebooks/ready 2>/dev/null)" != "$stamp" ]; then
    rm -rf .venv-notebooks
    .venv/bin/python -m venv .venv-notebooks
    "$python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --no-deps --requirement requirements-notebooks.txt
    folder='import sysconfig; print(sysconfig.get_path("purelib"))'
    {
        pwd
        .venv/bin/python -c "$folder"
    } >"$("$python" -c "$folder")/project.pth"
    echo "$stamp" >.venv-notebooks/ready
fi
"$python" -m tools.run_notebooks "$@"
