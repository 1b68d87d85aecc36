#!/bin/sh
# Makes LocalStack ready for `make test-localstack`, from a Python package index, in a cache folder outside the checkout.
# The last line on the standard output is its Python. Needs Python 3.12 with its venv module; takes 500 MB.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
digest=$(sha256sum "$here/requirements.txt" | cut -c 1-16)
tools=${GENOFERRY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/genoferry}
home=$tools/localstack-$digest

say() { echo "$*" >&2; }

# A pyenv shim is on the PATH for versions that aren't chosen too, and fails then: so each is tried.
python312() {
    for python in python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12.*/bin/python3.12; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    say "LocalStack needs Python 3.12 with its venv module, as python3.12 on the PATH or by pyenv. Install it" \
        "(Ubuntu: apt-get install python3.12 python3.12-venv; else: pyenv install 3.12), then run this again."
    exit 1
}

if [ ! -e "$home/.ready" ]; then
    python=$(python312)
    say "Setting up LocalStack in $home (once; two minutes) ..."
    rm -rf "$home"
    mkdir -p "$tools"
    "$python" -m venv "$home"
    if ! "$home/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement \
        "$here/requirements.txt" >&2; then
        say "LocalStack could not be installed: check the network, or set PIP_INDEX_URL to a mirror, and run this again."
        exit 1
    fi
    touch "$home/.ready"
fi
echo "$home/bin/python"
