# Every target makes its own environment first: nothing has to be activated or installed by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := .venv-tools
DATASETTE1 := .venv-datasette1
DATASETTE1_VERSION := 1.0a41
DATA ?= data/demo
# How many processes share the tests: one a processor. WORKERS=0 runs them one after another in this one.
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
# Each begins with a stretch of its own, so that tests with a fixture in common stay together, and takes from the longest rest.
PARALLEL := --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup system tools datasette1 demo serve test lint types check bench torture fuzz matrix audit extract clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## environment in .venv, with the gongkai command in it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gongkai needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@sh .ci/system-packages || echo "System packages could not be installed; what they carry will be missing."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

system: ## system packages (Debian, Ubuntu; as root, else prints the line to run)
	@sh .ci/system-packages

# pywb is GPL and pins old libraries: a program of its own that tests start, never imported. setuptools: pywb wants pkg_resources.
tools: $(TOOLS)/.ready ## other people's programs that tests replay our files with (in .venv-tools; tests are skipped without)

$(TOOLS)/.ready:
	@test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'pywb==2.10.0' 'setuptools<81'
	@touch $@

# Laid over .venv by PYTHONPATH: its libraries come first, everything else is .venv's.
datasette1: $(DATASETTE1)/.$(DATASETTE1_VERSION) ## the tests of browsing on the alpha of Datasette 1.0 (in .venv-datasette1)
	PYTHONPATH=$(DATASETTE1) $(BIN)/python -m pytest $(PARALLEL) tests/archive/test_browse*.py tests/archive/test_overview.py tests/archive/test_snapshot.py

$(DATASETTE1)/.$(DATASETTE1_VERSION): | $(READY)
	@rm -rf $(DATASETTE1)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(DATASETTE1) 'datasette==$(DATASETTE1_VERSION)'
	@touch $@

demo: $(READY) ## offline: crawl the bundled replica site and read its reports (into data/demo)
	$(BIN)/gongkai --data $(DATA) demo

serve: $(READY) ## browse the corpus in Datasette (DATA=data/demo)
	$(BIN)/gongkai --data $(DATA) serve

test: $(READY) ## the tests, offline, in one process a processor (WORKERS=n)
	$(BIN)/python -m pytest $(PARALLEL)

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

check: lint types test ## what CI runs: lint, types and tests

bench: $(READY) ## speed, as ratios against a peer in the same run: crawls (bench/crawl.py), readers, guards; each can be run alone
	$(BIN)/python bench/crawl.py
	$(BIN)/python bench/parse.py
	$(BIN)/python bench/formats.py
	$(BIN)/python bench/blocking.py
	$(BIN)/gongkai --data $$(mktemp -d) demo

torture: $(READY) ## long: 200 random kills of whole crawls, power lost at every step of the commit path
	$(BIN)/python tests/torture.py
	GONGKAI_POWER_LOSS_SEEDS=16 $(BIN)/python -m pytest tests/archive/test_crashes.py

fuzz: $(READY) ## long: a minute of changed documents for each reader (by coverage where atheris is installed)
	$(BIN)/python tests/fuzz.py --keep $${TMPDIR:-/tmp}/gongkai-fuzz

matrix: $(READY) ## long: the wire suite over the oldest supported, the pinned and the newest Scrapy
	$(BIN)/python tests/wire_matrix.py

audit: $(READY) ## re-hash every record, compare files, index and database
	$(BIN)/gongkai --data $(DATA) audit

extract: $(READY) ## read the archive again (twice gives the same rows; without a database, all of them from the WARC files)
	$(BIN)/gongkai --data $(DATA) extract

clean: ## remove the environment and caches, never data
	rm -rf $(VENV) $(TOOLS) $(DATASETTE1) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
