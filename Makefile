# Everything sets itself up: a fresh clone needs Python 3.11 or later, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test check bench clean

help:
	@echo "make demo    paint the bundled photograph in the bundled styles, into demo/"
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

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --jaxtyping-packages=gramarye,checking.typechecker

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
