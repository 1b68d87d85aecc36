#!/bin/sh
# Installs plink2 for `make test-e2e`, where it isn't yet. Needs root on Debian or Ubuntu.
set -eu
if command -v plink2 >/dev/null; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "plink2 is missing. Install it (Debian, Ubuntu: apt-get install plink2), then run this again." >&2
    exit 1
fi
apt-get update
apt-get install --yes --no-install-recommends plink2
