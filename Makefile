# Conveniences: each is a command that one could type. `make PYTHON=python3.13 test` uses another interpreter.
PYTHON ?= .venv/bin/python

.PHONY: install lock test check bench mutation survivors

install:
	python3 -m venv .venv
	$(PYTHON) -m pip install -q --no-compile -r requirements.lock
	$(PYTHON) -m pip install -q --no-deps --no-build-isolation -e .

# The newest versions of everything, for all Pythons and systems; CONTRIBUTING.md says when.
lock:
	python3 -m venv build/lock
	build/lock/bin/pip install -q uv
	build/lock/bin/uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --custom-compile-command 'make lock' -o requirements.lock

test:
	$(PYTHON) -m pytest -q

# Linters, types, tests with coverage.
check:
	$(PYTHON) -m tests

bench:
	$(PYTHON) -m benchmarks

# Breaks the engine in small ways; tests/mutation.md says how to read it. Needs the extra `mutation`.
# Only some modules, and without tests that reach them but say little of them:
# make mutation ONLY='trioflow.semantics.*' WITHOUT=tests/runtime
ONLY ?=
WITHOUT ?=
WORKERS ?= 2
mutation:
	PYTEST_ADDOPTS='$(addprefix --ignore=,$(WITHOUT))' \
	$(PYTHON) -m mutmut run --max-children $(WORKERS) $(if $(ONLY),'$(ONLY)')

survivors:
	$(PYTHON) -m mutmut results
