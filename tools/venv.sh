#!/bin/sh
# Makes .venv, or brings it up to date, with the pinned requirements.
# Usage: tools/venv.sh runtime|dev
#
# Each file must have the sum that the pins name, from whatever index it comes.
# A second call with the same requirements returns at once. PYTHON names the
# interpreter to start from; unset, the first suitable one is taken.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
busy=$venv/installing # there while packages are put in, and after a crash
# The environment's own modules only, whatever the caller has set.
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE || true

case ${1-} in
runtime) files=requirements.txt ;;
dev) files="requirements.txt requirements-dev.txt" ;;
*)
    echo "usage: tools/venv.sh runtime|dev" >&2
    exit 2
    ;;
esac

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
        >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON-}" ]; then
        if suitable "$PYTHON"; then
            echo "$PYTHON"
            return
        fi
        found=$("$PYTHON" --version 2>&1) || found="nothing that runs"
        echo "PYTHON must be Python 3.11 or 3.12. Received $PYTHON, which" \
            "is: $found" >&2
        return 1
    fi
    for candidate in python3 python3.11 python3.12; do
        if suitable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>&1) || found="nothing that runs"
    echo "Python 3.11 or 3.12 is needed. Tried python3 ($found)," \
        "python3.11 and python3.12. Name another one: make PYTHON=/path/to/it" \
        >&2
    return 1
}

# What is installed is known by the content of the pinned lists.
stamp() {
    # shellcheck disable=SC2086
    echo "$1 $(cat $files | cksum)"
}

is_current() {
    [ -f "$venv/stamp-$1" ] && [ ! -e "$busy" ] && suitable "$venv/bin/python" \
        && [ "$(cat "$venv/stamp-$1")" = "$(stamp "$1")" ]
}

install() {
    list=""
    for file in $files; do
        list="$list -r $file"
    done
    # uv installs several times faster than pip but does not read pip's
    # settings, so a machine with an index of its own stays with pip. What
    # packages are built with is held to the pins, too.
    if ! "$venv/bin/python" -m pip config list 2>/dev/null \
        | grep -q '[.]index-url='; then
        # shellcheck disable=SC2086
        if { "$venv/bin/python" -c 'import uv' 2>/dev/null || install_uv; } \
            && "$venv/bin/python" -m uv pip install --quiet \
                --require-hashes --build-constraints requirements.txt \
                --python "$venv/bin/python" $list; then
            return
        fi
        echo "uv could not install the packages; pip goes on." >&2
    fi
    # Every package is in the list, so there is nothing to resolve.
    # shellcheck disable=SC2086
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --no-deps --no-compile $list
}

install_uv() {
    awk '/^uv==/ { mine = 1 } mine { print } mine && !/\\$/ { exit }' \
        requirements-dev.txt >"$venv/uv.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --no-deps -r "$venv/uv.txt"
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

if [ -n "${PYTHON-}" ] && suitable "$PYTHON" && suitable "$venv/bin/python" \
    && [ "$(version_of "$PYTHON")" != "$(version_of "$venv/bin/python")" ]; then
    echo "$venv has Python $(version_of "$venv/bin/python"), but PYTHON asks" \
        "for $(version_of "$PYTHON"). Run \`make distclean\` first." >&2
    exit 1
fi
if is_current "$1"; then
    exit 0
fi

# One installation at a time. The lock ends with the process that holds it.
exec 9<tools/venv.sh
if command -v flock >/dev/null && ! flock --nonblock 9; then
    echo "Waiting for another process that installs into $venv"
    flock 9
fi
if is_current "$1"; then
    exit 0
fi

began=$(date +%s)
if [ -f "$busy" ]; then
    echo "$venv was left half made by an interrupted run: starting it anew"
    rm -rf "$venv"
elif [ -e "$venv" ] && ! suitable "$venv/bin/python"; then
    echo "$venv has no working Python 3.11 or 3.12: starting it anew"
    rm -rf "$venv"
fi
if [ ! -d "$venv" ]; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version)"
    mkdir "$venv"
    : >"$busy"
    if ! "$python" -m venv "$venv"; then
        rm -rf "$venv"
        echo "$python cannot make a virtual environment (on Debian and Ubuntu:" \
            "apt-get install python3-venv)" >&2
        exit 1
    fi
fi
: >"$busy"
rm -f "$venv"/stamp-*
echo "Installing $files into $venv (about 900 MB to download if not cached)"
if ! install; then
    rm -f "$busy"
    echo "The installation failed; see the messages above. Run the command" \
        "again to go on." >&2
    exit 1
fi
echo "Loading the libraries once: checks them and compiles what is used"
TF_CPP_MIN_LOG_LEVEL=3 "$venv/bin/python" tools/load_libraries.py
# All of dev holds for runtime too; read by the next call of either kind.
want=$1
for kind in runtime dev; do
    case $kind in
    runtime) files=requirements.txt ;;
    dev) files="requirements.txt requirements-dev.txt" ;;
    esac
    stamp "$kind" >"$venv/stamp-$kind"
    if [ "$kind" = "$want" ]; then
        break
    fi
done
rm -f "$busy"
echo "$venv is ready after $(($(date +%s) - began)) s"
