# Conveniences: each is a command that one could type. `make PYTHON=python3.13 test` uses another interpreter.
PYTHON ?= .venv/bin/python

.PHONY: install test lint types bench mutation survivors

install:  ## everything that the checks need, into .venv
	python3 -m venv .venv
	$(PYTHON) -m pip install -q -e '.[dev]'

test:
	$(PYTHON) -m pytest -q

lint:
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -c "from importlinter.cli import lint_imports_command as run; run()"

types:
	$(PYTHON) -m mypy
	$(PYTHON) -m basedpyright --pythonpath $(PYTHON)

bench:
	$(PYTHON) -m pytest -q benchmarks

# Breaks the engine in small ways; tests/mutation.md says how to read it. Needs the extra `mutation`.
# Only some modules: make mutation ONLY='trioflow.semantics.merge*'
ONLY ?=
WORKERS ?= 2
mutation:
	$(PYTHON) -m mutmut run --max-children $(WORKERS) $(if $(ONLY),'$(ONLY)')

survivors:
	$(PYTHON) -m mutmut results
