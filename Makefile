# Everything that is made lies in the checkout: .venv (packages), .data (the demo's service).
PYTHON ?= python3
ARGS ?=
GOLDEN_PYTHON ?= python3
TORCH_VENV := .venv-torch
TORCH_PYTHON ?= $(TORCH_VENV)/bin/python

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)
CHECKED := nncore service worker migrations tests benchmarks examples docs
LOCK := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help setup demo test check golden docs lock bench bench-torch-env bench-jobs faults clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything, development tools included, into .venv

demo: $(STAMP) ## Start the whole stack, train on handwritten digits, keep serving (ARGS=--exit stops)
	@$(VENV)/bin/gradserve demo --data-dir .data $(ARGS)

test: $(STAMP) ## Run the test suite against real processes (ARGS="-k jobs" selects)
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

check: $(STAMP) ## Formatting, lint, types, import directions, container files
	$(VENV)/bin/ruff format --check $(wildcard $(CHECKED))
	$(VENV)/bin/ruff check $(wildcard $(CHECKED))
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(VENV)/bin/hadolint Dockerfile

bench: $(STAMP) ## Time training against PyTorch into benchmarks/RESULTS.md (ARGS="--only lenet --parts steps")
	@TORCH_PYTHON=$(TORCH_PYTHON) $(PY) -m benchmarks.training $(ARGS)

bench-torch-env: ## Install PyTorch for `make bench` into an environment of its own, .venv-torch
	$(if $(UV),uv venv --quiet --python $(PYTHON),$(PYTHON) -m venv) $(TORCH_VENV)
	$(if $(UV),uv pip install --python $(TORCH_VENV),$(TORCH_VENV)/bin/python -m pip install) \
		--quiet torch==2.13.0 numpy

bench-jobs: $(STAMP) ## Measure the running service into benchmarks/RESULTS.md (ARGS="--parts rate")
	@$(PY) -m benchmarks.jobs $(ARGS)

faults: $(STAMP) ## Break the running service in every way known (ARGS="--only kills --trials 20")
	@$(PY) -m tests.faults $(ARGS)

golden: ## Record the references of the numeric core again (GOLDEN_PYTHON has PyTorch and Keras)
	$(GOLDEN_PYTHON) -m tests.nncore.references.generate

docs: $(STAMP) ## Write docs/units.md again, from the code and the rows of its tests
	@$(PY) -m docs.generate_units

lock: ## Resolve the dependencies again (needs uv; ARGS=--upgrade takes the newest)
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(LOCK) $(ARGS) pyproject.toml -o requirements.lock
	$(LOCK) $(ARGS) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## Remove what the targets above made
	rm -rf $(VENV) $(TORCH_VENV) .data build dist *.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A Python without ensurepip (Debian without python3-venv) lends the environment its own pip.
$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is missing or older than 3.11; name a newer one: make PYTHON=python3.12" >&2; \
		exit 1; }
	@echo "Installing the locked packages into $(VENV) with $(if $(UV),uv,pip) ..."
	@set -e; exec </dev/null; \
	$(PY) -c '' 2>/dev/null || { \
		ensurepip=$$($(PYTHON) -c 'import ensurepip' 2>/dev/null || echo --without-pip); \
		$(PYTHON) -m venv --clear $(if $(UV),--without-pip,$$ensurepip) $(VENV); }; \
	if [ -n "$(UV)" ]; then \
		install="uv pip install --quiet --python $(PY) --compile-bytecode"; \
	elif $(PY) -m pip --version >/dev/null 2>&1; then \
		install="$(PY) -m pip --disable-pip-version-check --no-input install --quiet"; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		install="$(PYTHON) -m pip --python $(PY) --disable-pip-version-check --no-input install --quiet"; \
	else \
		echo "$(PYTHON) has neither pip nor ensurepip: install python3-venv or uv" >&2; exit 1; \
	fi; \
	$$install --require-hashes --only-binary :all: -r requirements-dev.lock; \
	$$install --no-deps --no-build-isolation --editable .
	@touch $@
