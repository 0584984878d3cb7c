# Two commands: `make demo` shows the full cycle, `make test` runs the tests. Each sets up .venv itself.
# Tests run in two processes, each with servers of its own; WORKERS=0 for one process.
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

.PHONY: demo test cover check clean help

help:
	@echo "make demo   the full cycle with invented companies, on this machine only"
	@echo "make test   all tests; says what it skipped"
	@echo "make cover  all tests, and which lines they ran"
	@echo "make check  ruff and mypy"

demo: $(VENV)/.demo
	@$(BIN)/dsar demo

test: $(VENV)/.test
	@$(PYTEST)

cover: $(VENV)/.test
	@$(PYTEST) --cov=dsar --cov-report=term:skip-covered

check: $(VENV)/.test
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "dsar needs Python 3.11 or newer; install it and run make again."; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml
	@echo "Setting up .venv for the demo (once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml
	@echo "Setting up .venv for the tests (once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV)
