# make demo     the example repository, reconciled before your eyes
# make test     the tests
# make check    style, types and the walls between the rooms
# make bench    what a pass costs beside the same work by Git: benchmarks/README.md; WORKS, PLACEMENTS and ROUNDS may be given
# make torture  faults injected by the thousand: torture/README.md; ONLY, SEED, SCALE and REPLAY may be given
# make mutants  small faults put into the code, which the tests must find; ONLY, SAMPLE and SEED may be given
#
# The first of them makes the environment in .venv; from then on they work offline, until pyproject.toml changes.

PYTHON ?= python3
BIN := .venv/bin
WORKS ?= 10000
PLACEMENTS ?= 10
ROUNDS ?= 5
ONLY ?=
SEED ?= 1
SAMPLE ?= 0
SCALE ?= 1.0
REPLAY ?=

.PHONY: help demo test check bench torture mutants

help:
	@sed -n 's/^# make/make/p' Makefile

demo: .venv/installed
	@$(BIN)/gitops demo

# One process more than there are cores: some tests wait for servers, clocks and limits. Bytecode is kept, whatever the
# environment says: each worker and each of the commands that the tests start would compile the program anew.
test: .venv/installed
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses $(shell expr $$(nproc) + 1)

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict --package gitops
	$(BIN)/lint-imports

bench: .venv/installed
	$(BIN)/python -m benchmarks --works $(WORKS) --placements $(PLACEMENTS) --rounds $(ROUNDS)

torture: .venv/installed
	PYTHONPATH=tests $(BIN)/python -m torture --only "$(ONLY)" --seed $(SEED) --scale $(SCALE) --replay "$(REPLAY)"

mutants: .venv/installed
	PYTHONPATH=tests $(BIN)/python -m torture.mutants --only "$(ONLY)" --sample $(SAMPLE) --seed $(SEED)

# Debian ships venv without pip unless python3-venv is installed: the pip outside then installs the one inside.
.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "gitops needs Python 3.11 or newer; if it has another name: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the environment in .venv: about a minute, once"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv >/dev/null 2>&1 \
	  || { $(PYTHON) -m venv --clear --without-pip .venv \
	    && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } \
	  || { echo "No environment could be made: install venv or pip (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
