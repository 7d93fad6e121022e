# The same commands for people and for CI. Everything is installed into .venv, from the Python package index alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help lab test test-all check format bench doctor-score clean

help:
	@echo "make lab     the four studies, answered in lab/report.html (under three minutes on two cores)"
	@echo "make test    the tests (under five minutes);  make test-all adds the slow ones"
	@echo "make check   format, lint, types, direction of imports"
	@echo "make bench   the performance figures, measured side by side -> benchmarks/results/"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/python -c "from rnnlab.kernels import prepare; print(f'kernels ready in {prepare():.0f} s')"
	@touch $(READY)

lab: $(READY)
	$(BIN)/rnnlab lab

test: $(READY)
	$(BIN)/python -m pytest -n auto

test-all: $(READY)
	$(BIN)/python -m pytest -n auto -m "slow or not slow"

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m benchmarks

doctor-score: $(READY)
	$(BIN)/python -m benchmarks.doctor.score

clean:
	rm -rf $(VENV) lab runs .pytest_cache .mypy_cache .ruff_cache
