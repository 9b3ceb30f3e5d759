# `make run` and `make test` set up what they need; from the second time on they start at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLES := samples
STORE ?= runs-store
PORT ?= 8501
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup run test coverage test-cluster soak check audit wheel-test lock java archive

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: setup $(SAMPLES) ## classify the built-in samples and open the dashboard
	$(BIN)/sparkcore run $(SAMPLES) --truth folder --store $(STORE)
	@echo "Dashboard: http://127.0.0.1:$(PORT)  (Ctrl-C ends it)"
	SPARKCORE_STORE=$(STORE) $(BIN)/python -m streamlit run dashboard.py --server.port $(PORT)

test: $(VENV)/.dev archive ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadscope

coverage: $(VENV)/.dev archive ## run the tests and measure the coverage of sparkcore by branch: at least 92 %
	$(BIN)/python -m pytest -n 2 --dist loadscope --cov --cov-report=term

test-cluster: $(VENV)/.dev archive ## run the tests on real clusters of this machine
	$(BIN)/python -m pytest -p no:xdist -m "cluster and not soak" tests/cluster

soak: $(VENV)/.dev archive ## run the long tests that `make test` leaves out
	$(BIN)/python -m pytest -n 2 --dist loadscope -m soak

check: $(VENV)/.dev ## lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(VENV)/.dev ## look for known vulnerabilities of the locked requirements; needs the network
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

wheel-test: $(VENV)/.dev java ## build the wheel and use it in a new environment
	$(BIN)/python scripts/test_wheel.py

setup: $(VENV)/.setup archive ## make .venv with the locked requirements, look for Java

lock: $(VENV)/.dev ## renew requirements.lock and requirements-dev.lock
	$(LOCK) pyproject.toml requirements.txt --extra dashboard --extra int8 -o requirements.lock
	$(LOCK) pyproject.toml requirements.txt requirements-dev.txt --all-extras -c requirements.lock -o requirements-dev.lock

$(VENV)/.setup: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and f"Python 3.11, 3.12 or 3.13 is needed, {sys.executable} is {sys.version.split()[0]}: call make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python cannot make virtual environments here (Debian, Ubuntu: apt install python3-venv)."; exit 1; }
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.setup requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@

java: $(VENV)/.setup
	@scripts/install_java
	@$(BIN)/python -m sparkcore.engine.java

archive: java
	@$(BIN)/python -m sparkcore.engine.jvm_archive

$(SAMPLES): | $(VENV)/.setup
	$(BIN)/sparkcore samples $@
