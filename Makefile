# Every task of the project; `make help` lists them. Needs Python 3.11+ with venv, make, and a package index.
PYTHON ?= python3
PY     := .venv/bin/python
PIP    := $(PY) -m pip install -q --disable-pip-version-check --no-input --no-compile --no-deps --require-hashes
.DEFAULT_GOAL := help
.PHONY: help run test test-long faults check lint types arrows benchmark screenshots demo lock setup clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run ## Run the whole service on http://127.0.0.1:8000 (PORT=8001 make run for another port)
	@exec .venv/bin/crisis-router up

test: .venv/.test ## Run the whole suite, with real Redis and PostgreSQL on free ports
	@$(PY) tests/browser/chromium.py
	@$(PY) -m pytest -q -n 2 --dist worksteal --ignore=tests/faults
	@$(PY) -m pytest -q tests/faults

test-long: .venv/.test ## Run the suite with at least 2,000 random calls for each property
	@HYPOTHESIS_PROFILE=long $(PY) -m pytest -q -n 2 --dist worksteal

faults: .venv/.test ## Kill and stop every part under load 200 times, then many at once, and print what came of it
	@$(PY) -m tests.faults
	@$(PY) -m tests.faults --storm-s 300

check: lint types arrows ## Check style, types and the direction of imports

lint: .venv/.dev ## Check style
	@$(PY) -m ruff check . && $(PY) -m ruff format --check --quiet .

types: .venv/.dev ## Check types
	@$(PY) -m mypy

arrows: .venv/.dev ## Check that imports go down only
	@.venv/bin/lint-imports --no-logo

benchmark: .venv/.test ## Print what the matcher and the endpoint cost, as ratios taken in one run
	@$(PY) -m benchmarks

screenshots: .venv/.test ## Make a picture of every page in build/screenshots (needs a Chromium)
	@$(PY) -m tests.browser.tour build/screenshots

demo: .venv/.run ## Replay 4,183 real Seattle calls against the running service
	@.venv/bin/crisis-router demo

setup: .venv/.dev ## Install everything a developer needs, and the pre-commit hooks
	@.venv/bin/pre-commit install

lock: .venv/.dev ## Resolve the dependencies anew into the three lock files
	@for extra in "" test dev; do \
	  UV_PYTHON_DOWNLOADS=never .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate $${extra:+--extra test} $$([ "$$extra" = dev ] && echo --extra dev) \
	    pyproject.toml -o requirements$${extra:+-$$extra}.lock || exit 1; \
	done

clean: ## Remove the environment and everything a run made (not var/)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Python 3.11 or newer is needed: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python cannot make environments. Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.run: requirements.lock | $(PY)
	@echo "Installing (the first time: about 20 s) ..."
	@$(PIP) -r $< && $(PY) -m compileall -q -j 2 .venv/lib service workers >/dev/null 2>&1 || true
	@printf '#!%s\nimport sys\nsys.path.insert(0, "%s")\nfrom service.cli import main\nmain()\n' "$(CURDIR)/$(PY)" "$(CURDIR)" > .venv/bin/crisis-router
	@chmod +x .venv/bin/crisis-router && $(PY) -c 'import granian, celery, sqlalchemy' && touch $@

.venv/.test: requirements-test.lock .venv/.run | $(PY)
	@echo "Installing the test tools ..."
	@$(PIP) -r $< && touch $@

.venv/.dev: requirements-dev.lock .venv/.test | $(PY)
	@echo "Installing the developer's tools ..."
	@$(PIP) -r $< && touch $@
