# The same commands for people and for CI. Everything is installed into .venv, from the Python package index alone.
PYTHON ?= python3
export NO_MKDOCS_2_WARNING := 1
VENV := .venv
BIN := $(VENV)/bin
# What the lab needs, and what the tests and the tools need besides.
READY := $(VENV)/.ready
DEV := $(VENV)/.dev

.PHONY: help lab test test-all check docs format bench doctor-score clean

help:
	@echo "make lab     the four studies, answered in lab/report.html (under three minutes on two cores)"
	@echo "make test    the tests (under five minutes);  make test-all adds the slow ones"
	@echo "make check   format, lint, types, direction of imports, and that the documentation builds"
	@echo "make docs    the documentation with the notebooks run -> site/ (minutes)"
	@echo "make bench   the performance figures, measured side by side -> benchmarks/results/"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	$(BIN)/python -c "from rnnlab.kernels import prepare; print(f'kernels ready in {prepare():.0f} s')"
	@touch $(READY)

$(DEV): $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $(DEV)

lab: $(READY)
	$(BIN)/rnnlab lab

test: $(DEV)
	$(BIN)/python -m pytest -n auto

test-all: $(DEV)
	$(BIN)/python -m pytest -n auto -m "slow or not slow"

check: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict  # with --quiet, warnings would not count

docs: $(DEV)
	RNNLAB_DOCS_RUN=1 $(BIN)/mkdocs build --strict

format: $(DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV)
	$(BIN)/python -m benchmarks

doctor-score: $(DEV)
	$(BIN)/python -m benchmarks.doctor.score

clean:
	rm -rf $(VENV) lab runs site .pytest_cache .mypy_cache .ruff_cache
