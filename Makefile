# Two commands: `make demo` shows the full cycle, `make test` runs the tests. Each sets up .venv itself.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

.PHONY: demo test check clean help

help:
	@echo "make demo   the full cycle with invented companies, on this machine only"
	@echo "make test   all tests; says what it skipped"
	@echo "make check  ruff and mypy"

demo: $(VENV)/.demo
	@$(BIN)/dsar demo

test: $(VENV)/.test
	@$(BIN)/python -m pytest -q

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
