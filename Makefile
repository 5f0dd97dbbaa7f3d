# livelift: one command each. `make` alone lists them.
PYTHON ?= $(shell for p in python3.11 python3 python; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)
UV_VERSION := 0.13.9
BIN := .venv/bin
ARGS ?=

.PHONY: help setup demo test lint format bench chaos validate docs clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.stamp ## make .venv from the lock file (needs only Python 3.11 and the package registry)

.uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "livelift needs Python 3.11: install it, or name it with make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.stamp: .uv/bin/uv uv.lock pyproject.toml
	UV_PROJECT_ENVIRONMENT=.venv .uv/bin/uv sync --frozen --quiet --python "$(PYTHON)"
	@touch $@

demo: setup ## play a simulated trial through everything and watch it (ARGS=--once to end by itself)
	$(BIN)/livelift demo $(ARGS)

# Workers and commands are started more than a hundred times: none has to compile what another has.
test: export PYTHONDONTWRITEBYTECODE =
test: export PYTHONPYCACHEPREFIX = $(CURDIR)/.pytest_cache/bytecode
test: setup ## every test, with real Kafka, Redis and Chromium, in three processes (with ARGS: in one)
	$(BIN)/python -m pytest $(or $(ARGS),-n 3)

lint: setup ## style, types, import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check
	$(BIN)/lint-imports

format: setup ## put the code into shape
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: setup ## measure the spine against a plain loop in the same run, and what experiments, health scores, sources, alerts and the dashboard cost
	$(BIN)/python -m benchmarks.spine $(ARGS)
	$(BIN)/python -m benchmarks.publishing $(filter --write --no-fail,$(ARGS))
	$(BIN)/python -m benchmarks.health $(filter --write --no-fail,$(ARGS))
	$(BIN)/python -m benchmarks.closing $(filter --write --no-fail,$(ARGS))
	$(BIN)/python -m benchmarks.sources $(filter --write --no-fail,$(ARGS))
	$(BIN)/python -m benchmarks.alerting $(filter --write --no-fail,$(ARGS))
	$(BIN)/python -m benchmarks.dashboard $(filter --write --no-fail,$(ARGS))

chaos: setup ## kill, pause, scale and restart things for some minutes, and compare
	$(BIN)/python -m benchmarks.chaos $(ARGS)

validate: setup ## error rates of the statistics by simulation, the health score and the checks of authenticity on real data
	$(BIN)/python -m benchmarks.validate $(ARGS)
	$(BIN)/python -m benchmarks.hubspot $(filter --write --json,$(ARGS))
	$(BIN)/python -m benchmarks.hubspot_choice $(filter --write,$(ARGS))
	$(BIN)/python -m benchmarks.authenticity $(filter --write --json,$(ARGS))

docs: setup ## generate the parts of docs/ that come from the code (ARGS=--pictures: those of alerts; ARGS=--screenshots: of the dashboard)
	$(BIN)/python -m livelift.docs $(ARGS)

clean: ## remove everything that was generated here
	rm -rf .venv .uv .livelift .pytest_cache .ruff_cache .hypothesis .import_linter_cache
