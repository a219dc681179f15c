# Two commands are enough: `make run` starts everything, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run test prove lint bench lock clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(VENV)/.ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.tests: $(VENV)/.ready tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@

run: $(VENV)/.ready  ## start server, worker, embedded Redis and emulated WeChat
	@exec $(BIN)/python -m server demo

lint: $(VENV)/.tests  ## format, style, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint  ## everything: style, types, floors, tests on both databases, the browser
	$(BIN)/pytest -n 2 --dist loadfile --db both

prove: $(VENV)/.tests  ## the tests with the full figures
	KEPU_PROVE=1 $(BIN)/pytest -n 2 --dist loadfile --db both

bench: $(VENV)/.tests  ## measure the hot paths against their floors, side by side
	$(BIN)/python -m tests.bench

lock: $(VENV)/.tests  ## write the hashed locks anew
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header config/requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header tests/requirements.in -o tests/requirements.txt

clean:  ## remove the environment and the demo's data
	rm -rf $(VENV) var
