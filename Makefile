# The two commands: `make run` starts the daemon, `make test` runs every test. Each sets itself up on a fresh Debian
# with Python 3.11 or later, and is fast the second time.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PYTHON VENV
# Quiet and pinned, also for what pip installs to build the package.
PIP := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check
CHECKED := src tests scripts benchmarks
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test demo lint format types contracts messages messages-check docs docs-check wheel constraints debian dev check clean

help:  ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(VENV)/.run  ## start the daemon: http://127.0.0.1:8000
	@exec $(BIN)/policyfeed run

test: dev debian  ## run every test
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

demo: $(VENV)/.run  ## an example world without any network
	@exec $(BIN)/policyfeed demo

lint: dev  ## ruff: rules and format
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)

format: dev  ## ruff: mend what can be mended
	@$(BIN)/ruff check --fix $(CHECKED)
	@$(BIN)/ruff format $(CHECKED)

types: dev  ## mypy --strict
	@$(BIN)/mypy

contracts: dev  ## what may import what
	@$(BIN)/lint-imports

messages: dev  ## bring the Korean catalogue up to date with the source
	@$(BIN)/python scripts/messages.py

messages-check: dev  ## fail when a text has no Korean translation
	@$(BIN)/python scripts/messages.py --check

docs: dev  ## write docs/reference from the code
	@$(BIN)/python scripts/reference.py

docs-check: dev  ## fail when docs/reference is behind the code
	@$(BIN)/python scripts/reference.py --check

wheel: dev  ## build the wheel and try it in a fresh environment
	@scripts/try-wheel

constraints: dev  ## pin the versions that are installed now
	@$(BIN)/python scripts/constraints.py > constraints.txt.new && mv constraints.txt.new constraints.txt

check: lint types contracts messages-check docs-check  ## everything but the tests

debian:
	@scripts/setup debian

dev: $(VENV)/.dev

# Stamps: a change of the requirements or pins makes them again, nothing else does.
$(VENV)/.run: pyproject.toml constraints.txt
	@scripts/setup venv
	@echo "Installing policyfeed and its dependencies" >&2
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	@scripts/setup venv
	@echo "Installing policyfeed with what its development needs" >&2
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.run

clean:  ## remove everything that was made here, data (var/) excepted
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
