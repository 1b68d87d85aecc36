#!/usr/bin/env bash
# Staging beside its peer, against an embedded S3 of its own: `make bench`. SIZES and PEER change what is measured.
set -euo pipefail
bin=${1:?the folder of the virtual environment\'s programs}
state=$(mktemp -d)
trap '"$bin/genoferry" local down --state "$state" >/dev/null; rm -rf "$state"' EXIT
"$bin/genoferry" local up --state "$state" >/dev/null
eval "$("$bin/genoferry" local env --state "$state")"
PATH="$bin:$PATH" "$bin/python" "$(dirname "$0")/staging.py" --endpoint "$AWS_ENDPOINT_URL_S3" \
  --bucket "$GENOFERRY_WORK_BUCKET" --sizes "${SIZES:-256MiB,4GiB}" --peer "${PEER:-256MiB}"
