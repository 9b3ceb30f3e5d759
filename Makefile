# `make run` and `make test` set up what they need; the second time they start at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLES := samples
STORE ?= runs-store
PORT ?= 8501

.DEFAULT_GOAL := help
.PHONY: help setup run test check java archive

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup $(SAMPLES) ## classify the built-in samples and open the dashboard
	$(BIN)/python -m sparkcore run $(SAMPLES) --truth folder --store $(STORE)
	@echo "Dashboard: http://127.0.0.1:$(PORT)  (Ctrl-C ends it)"
	SPARKCORE_STORE=$(STORE) $(BIN)/python -m streamlit run dashboard.py --server.port $(PORT)

test: $(VENV)/.dev archive ## run the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.dev ## lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(VENV)/.setup archive ## make .venv, install requirements.txt, look for Java

$(VENV)/.setup: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}: call make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python cannot make virtual environments here (Debian, Ubuntu: apt install python3-venv)."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.setup requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

java: $(VENV)/.setup
	@$(BIN)/python -m sparkcore.engine.java

archive: java
	@$(BIN)/python -m sparkcore.engine.jvm_archive

$(SAMPLES): | $(VENV)/.setup
	$(BIN)/python -m sparkcore samples $@
