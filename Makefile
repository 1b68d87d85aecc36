# Two commands: `make demo` runs the main job, `make test` passes. Both set up what they need; again, they start at once.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
  command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
  && { command -v $$p; break; }; done)

.PHONY: help setup setup-dev demo test lint format docs lock test-properties test-e2e test-k8s test-localstack mutants bench clean

help:  ## Show this
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: $(VENV)/.ready  ## Make .venv with the genoferry command, and the embedded AWS's own environment
setup-dev: $(VENV)/.ready-dev

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "genoferry needs Python 3.11 or 3.12. Debian 12: apt install python3 python3-venv;" \
	  "Ubuntu: apt install python3.11 python3.11-venv, or 3.12. Or name one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module." \
	  "Debian, Ubuntu: apt install python3-venv (or python3.11-venv, python3.12-venv)." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NO_INDEX := { echo "The packages could not be installed. genoferry's set-up needs a package index once:" \
  "check the network, or set PIP_INDEX_URL to a mirror, and run it again." >&2; exit 1; }

$(VENV)/.ready: requirements.txt pyproject.toml src/genoferry/local/requirements-local.txt | $(BIN)/python
	@echo "Setting up $(VENV) (once; a minute or two) ..."
	@$(PIP) --require-hashes -r requirements.txt || $(NO_INDEX)
	@$(PIP) --no-deps -e . || $(NO_INDEX)
	@$(BIN)/python -m genoferry.local.tools
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready
	@echo "Setting up the development tools in $(VENV) (once) ..."
	@$(PIP) --require-hashes -r requirements-dev.txt || $(NO_INDEX)
	@touch $@

demo: setup  ## Encrypt a small cohort, send it through the queue, see events and scores
	@$(BIN)/genoferry demo

# Most tests wait for real processes, so more run at once than there are cores; PYTEST_ARGS=-n0 runs them one by one.
test: setup-dev  ## All tests that need neither root nor the internet
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(PYTEST_ARGS)

test-properties: setup-dev  ## Random cohorts and scores against the independent routine, for an hour (GENOFERRY_TEST_PROPERTY_SECONDS)
	@$(BIN)/python -m pytest tests/properties $(PYTEST_ARGS)

test-e2e: setup-dev  ## Tests against real peers (plink2, Nextflow); needs root once, for Debian's packages
	@sh tests/e2e/setup_plink2.sh
	@sh tests/e2e/setup_nextflow.sh
	@$(BIN)/python -m pytest tests/e2e --ignore=tests/e2e/kubernetes --ignore=tests/e2e/localstack $(PYTEST_ARGS)

test-k8s: setup-dev  ## Tests against a real Kubernetes on this machine; needs root, Go and ten minutes once
	@sh tests/e2e/kubernetes/setup.sh
	@sh tests/e2e/kubernetes/image.sh
	@$(BIN)/python -m pytest tests/e2e/kubernetes $(PYTEST_ARGS)

test-localstack: setup-dev  ## The how-to on LocalStack, as it stands; needs Python 3.12 and two minutes once
	@sh tests/e2e/localstack/setup.sh
	@$(BIN)/python -m pytest tests/e2e/localstack $(PYTEST_ARGS)

lint: setup-dev  ## ruff, ruff format, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-dev  ## Let ruff format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup  ## Write the generated pages: schemas and reference
	@$(BIN)/genoferry schema --all --out payloads/schemas
	@$(BIN)/python docs/generate.py

.venv-mutants/.ready: tests/mutation/requirements.txt $(VENV)/.ready-dev
	@rm -rf $(@D)
	@$(PIP) --require-hashes --target $(@D) -r $< || $(NO_INDEX)
	@touch $@

mutants: .venv-mutants/.ready  ## Change the ledger's code in a thousand ways: does a unit test see each? (MUTANTS=names)
	@PYTHONPATH=$(CURDIR)/.venv-mutants nice $(BIN)/python tests/mutation/run.py $(MUTANTS)

bench: setup-dev  ## Measure staging beside the crypt4gh command (SIZES=256MiB,4GiB)
	@bash bench/run.sh $(BIN)

UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --quiet --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "make lock"

lock:  ## Renew the locked requirements (needs uv)
	$(UV_COMPILE) pyproject.toml --extra pgs --extra kubernetes -o requirements.txt
	$(UV_COMPILE) pyproject.toml --extra pgs --extra kubernetes --group dev -c requirements.txt -o requirements-dev.txt
	$(UV_COMPILE) src/genoferry/local/requirements-local.in -o src/genoferry/local/requirements-local.txt
	$(UV_COMPILE) tests/acceptance/requirements-awscli.in -o tests/acceptance/requirements-awscli.txt
	$(UV_COMPILE) tests/mutation/requirements.in -c requirements-dev.txt -o tests/mutation/requirements.txt
	$(subst 3.11,3.12,$(UV_COMPILE)) tests/e2e/localstack/requirements.in -o tests/e2e/localstack/requirements.txt
	$(UV_COMPILE) infra/requirements-build.in -o infra/requirements-build.txt
	$(UV_COMPILE) tests/e2e/kubernetes/chart/requirements.in -o tests/e2e/kubernetes/chart/requirements.txt

clean:  ## Remove what set-up and runs have made here
	rm -rf $(VENV) .venv-local .venv-awscli .venv-chart .venv-mutants mutants .genoferry .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
