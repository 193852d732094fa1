# Everything sets itself up: a fresh clone needs Python 3.11 or later, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The studio's pages are built with npm; who installs the wheel has them already.
PAGES := src/gramarye/studio/static/index.html
MODULES := web/node_modules/.ready
WEB := $(shell find web -name node_modules -prune -o -type f -print)

.PHONY: help setup demo studio pages test check bench clean

help:
	@echo "make demo    paint the bundled photograph in the bundled styles, into demo/"
	@echo "make studio  build the studio's pages (needs npm); then: $(BIN)/gramarye serve"
	@echo "make test    run the tests"
	@echo "make check   format, lint, types: what CI runs beside the tests"
	@echo "make bench   measure speed, memory and quality on this machine"
	@echo "make setup   prepare .venv (the others do it themselves)"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $(READY)

demo: $(READY)
	$(BIN)/gramarye demo --out demo

studio: $(READY) $(PAGES)
	@echo "the pages are built; open them with: $(BIN)/gramarye serve"

$(PAGES): $(MODULES) $(WEB)
	npm --prefix web run --silent build -- --logLevel warn
	@touch $(PAGES)

$(MODULES): web/package-lock.json
	npm --prefix web ci --silent --no-audit --no-fund
	@touch $(MODULES)

pages:
	@if command -v npm >/dev/null; then $(MAKE) --silent $(PAGES); else echo "npm is not installed: the studio's pages are not built, and their tests do not run"; fi

test: $(READY) pages
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if command -v npm >/dev/null; then $(MAKE) --silent $(MODULES) && npm --prefix web run --silent check; else echo "npm is not installed: the studio's pages are not checked"; fi

bench: $(READY)
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) web/node_modules src/gramarye/studio/static demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
