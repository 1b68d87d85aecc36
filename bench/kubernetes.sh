#!/usr/bin/env bash
# Thousands of Jobs under one lease holder, on a control plane of its own and a node that only says that it runs pods:
# delay from a pod's end to its event, memory, calls. Asks for what `make test-k8s` sets up. JOBS and ENDS (a second)
# change what is measured.
set -euo pipefail
bin=${1:?the folder of the virtual environment\'s programs}
cd "$(dirname "$0")/.."
GENOFERRY_TEST_JOBS=${JOBS:-2000} GENOFERRY_TEST_ENDS=${ENDS:-8} \
  "$bin/python" -m pytest tests/e2e/kubernetes/test_many_jobs.py --quiet --capture=no
