# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := build

.PHONY: demo test bench bench-serve detector-report serve lint lock catalogues clean help
.DEFAULT_GOAL := help

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort

# The lock file pins what is installed; pyproject.toml says what is allowed.
$(VENV)/.base: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "kholo needs Python 3.11 or later; run: make PYTHON=/path/to/python3.11"; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.base ## build the site of the shipped cases and say what was found
	@$(BIN)/kholo demo cases/* --out $(BUILD)

serve: $(VENV)/.base ## serve what `make demo` built, with the API, on this machine only
	@test -d $(BUILD)/site || $(MAKE) demo
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check granian==2.8.7 brotli==1.2.1
	$(BIN)/kholo serve --cases cases --store $(BUILD)/store --site $(BUILD)/site

lint: $(VENV)/.dev ## formatting, lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## set up and run every test
	@sh tests/browser.sh
	@sh tests/papers.sh
	$(BIN)/python -m pytest -n 2 --dist worksteal

bench: $(VENV)/.dev ## speed beside a peer and beside the limit, as ratios
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/fetch.py
	$(BIN)/python benchmarks/record.py
	$(BIN)/python benchmarks/dossier.py
	$(BIN)/python benchmarks/site.py

bench-serve: $(VENV)/.dev ## requests a second on ten million verdicts, beside nginx; some 15 minutes the first time
	$(BIN)/python benchmarks/serve.py

detector-report: $(VENV)/.dev ## how often the detector is wrong, how late, how far off; some ten minutes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ruptures==1.1.10
	$(BIN)/python benchmarks/detector.py --out src/kholo/detect/report.md

lock: ## write the lock files anew from pyproject.toml
	sh tests/lock.sh

catalogues: $(VENV)/.dev ## bring the translations of pages and papers up to date with their texts
	$(BIN)/python -m tests.catalogue

clean: ## remove what was made
	rm -rf $(BUILD) $(VENV)
