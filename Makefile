# SPDX-License-Identifier: Apache-2.0
# Every target does all of its own set-up, on a machine that has only Python 3.11 or newer, and make.
#
# There are two stamps, because the demo needs no test tools: .venv/.stamp-run (the package itself) and
# .venv/.stamp-dev (and the tools that check it). Both are made anew when pyproject.toml changes.

.DEFAULT_GOAL := help
.PHONY: help demo test lint chaos bench clean
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

# The first interpreter that runs, is new enough and can make a virtual environment. A name on the PATH is not enough:
# version managers leave names there that only print an error. `make PYTHON=/path/to/python3` settles it by hand.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { command -v "$$p"; break; }; done)

help: ## Say what there is (the default)
	@echo "wideberth: make <target>, with ARGS=\"...\" for flags of the program behind it"
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: $(VENV)/.stamp-run ## Two real nodes on this machine, and a day between them (ARGS go to `wideberth demo`)
	@$(BIN)/wideberth demo $(ARGS)

test: ARGS ?= -n 2
test: lint ## All that CI runs: ruff, the format, mypy, then the suite on two cores (ARGS go to pytest instead of -n 2)
	@rm -f $(VENV)/.pytest-exit
	@$(BIN)/python -m pytest $(ARGS); code=$$?; echo $$code > $(VENV)/.pytest-exit; exit $$code

lint: $(VENV)/.stamp-dev ## ruff, the format and mypy
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "format: run $(BIN)/ruff format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@echo "lint: clean"

chaos: $(VENV)/.stamp-dev ## The long runs that kill processes (ARGS go to pytest)
	@$(BIN)/python -m pytest -m chaos $(ARGS)

bench: $(VENV)/.stamp-dev ## The figures: every benchmarks/bench_*.py (ARGS go to each)
	@set -e; found=; for file in benchmarks/bench_*.py; do \
		if [ -f "$$file" ]; then found=1; echo "== $$file"; $(BIN)/python "$$file" $(ARGS); fi; \
	done; \
	if [ -z "$$found" ]; then echo "bench: there is no benchmarks/bench_*.py in this checkout" >&2; exit 1; fi

clean: ## Remove what these targets made
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "clean"

$(VENV)/.stamp-venv:
	@if [ -z "$(PYTHON)" ]; then \
		echo "wideberth needs Python 3.11 or newer with its venv module, and none was found." >&2; \
		echo "Install one (on Debian and Ubuntu: python3 and python3-venv), or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "set-up: making $(VENV) with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.stamp-run: pyproject.toml $(VENV)/.stamp-venv
	@echo "set-up: installing wideberth and its dependencies (once; about a minute)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml $(VENV)/.stamp-venv
	@echo "set-up: installing wideberth, its dependencies and the test tools (once; about a minute)"
	@$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/.stamp-run
