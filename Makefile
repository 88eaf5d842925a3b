# Everything that a person or CI does with this repository. Nothing here needs root, or a network beyond the package registry.

# A uv on the PATH serves if pyproject.toml accepts its version; otherwise a virtual environment of its own in .uv holds one.
UV := $(or $(shell uv cache dir >/dev/null 2>&1 && command -v uv),.uv/bin/uv)
UV_REQUIREMENT := uv>=0.13,<0.14
RUN := $(UV) run --no-sync
VENV := $(or $(UV_PROJECT_ENVIRONMENT),.venv)
# Lies inside the environment and is older than a changed lock, so an environment that is as it should be costs nothing.
SYNCED := $(VENV)/.catalyst-synced
PORT ?= 3000
WORKERS ?= 2

# The environment that is used is the one that is synced, whichever the caller has activated.
unexport VIRTUAL_ENV
export UV_PYTHON_DOWNLOADS := never
# Nothing leaves the machine unasked.
export DAGSTER_DISABLE_TELEMETRY := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DBT_VERSION_CHECK := false
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true
export RUNTIME__DLTHUB_TELEMETRY := false

.DEFAULT_GOAL := help
.PHONY: help run dev test lint bench sync clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

run: $(SYNCED) ## run the main job for yesterday, or for AS_OF=2026-06-30; SCALE=2 doubles the simulated company
	@$(RUN) catalyst run $(if $(AS_OF),--as-of $(AS_OF)) $(if $(SCALE),--scale $(SCALE))

# Started in DAGSTER_HOME, because Dagster warns about a dagster.yaml in the working directory that is not the one there.
dev: $(SYNCED) ## show assets, lineage and runs at http://127.0.0.1:3000, or on PORT=3001; Ctrl-C ends it
	@absolute() { case $$1 in /*) echo "$$1" ;; *) echo "$$PWD/$$1" ;; esac; }; \
	export CATALYST_HOME="$$(absolute "$${CATALYST_HOME:-.catalyst}")"; \
	if [ -n "$$CATALYST_PROJECT" ]; then export CATALYST_PROJECT="$$(absolute "$$CATALYST_PROJECT")"; fi; \
	mkdir -p "$$CATALYST_HOME/dagster" && export DAGSTER_HOME="$$(cd "$$CATALYST_HOME/dagster" && pwd -P)" || exit 1; \
	[ -e "$$DAGSTER_HOME/dagster.yaml" ] || cp orchestration/instance.yaml "$$DAGSTER_HOME/dagster.yaml"; \
	echo "Dagster comes up at http://127.0.0.1:$(PORT)"; \
	exec $(RUN) sh -c 'cd "$$DAGSTER_HOME" && exec dagster dev -m orchestration.definitions -h 127.0.0.1 -p $(PORT)'

# In the order of their folders: those that take longest are early, and no process is left alone with them at the end.
test: $(SYNCED) ## run the tests; ARGS="-k gate" picks some, WORKERS=4 uses more processes
	@$(RUN) pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(SYNCED) ## check style, types, SQL and which module imports which
	@echo "== ruff check" && $(RUN) ruff check
	@echo "== ruff format" && $(RUN) ruff format --check
	@echo "== mypy" && $(RUN) mypy
	@echo "== sqlfluff" && $(RUN) sqlfluff lint --processes $(WORKERS) dbt_project/models $(wildcard examples/*/models)
	@echo "== engines" && $(RUN) python -m tests.dbt_project.engines
	@echo "== import-linter" && $(RUN) lint-imports --no-logo

bench: $(SYNCED) ## measure what the README claims
	@$(UV) run --frozen --group bench python -m benchmarks

sync: $(SYNCED) ## set up the environment and do nothing else; the targets above do it by themselves
	@echo "The environment in $(VENV) is as uv.lock says."

clean: ## remove the environments and the caches of tools; the data in .catalyst stay
	rm -rf .uv .venv .venv-bigquery .venv-datacontract .venv-terraform .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# Bytecode is compiled here once: without it the first imports take three times as long.
$(SYNCED): pyproject.toml uv.lock | $(UV)
	@$(UV) --quiet python find >/dev/null || { \
		echo "Catalyst needs Python 3.11, 3.12 or 3.13 and found none on the PATH: install one, then run make again." >&2; exit 1; }
	@$(UV) sync --locked --compile-bytecode
	@touch $@

# A system Python refuses a plain pip install, and Debian's comes without venv.
.uv/bin/uv:
	@command -v python3 >/dev/null || { \
		echo "Catalyst needs python3, version 3.11, 3.12 or 3.13: install it (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2; \
		exit 1; }
	@echo "No uv that fits is on the PATH: installing one into .uv"
	@if python3 -c 'import ensurepip, venv' 2>/dev/null; then \
		python3 -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check '$(UV_REQUIREMENT)'; \
	elif python3 -m pip --version >/dev/null 2>&1; then \
		python3 -m pip install --quiet --disable-pip-version-check --target .uv '$(UV_REQUIREMENT)'; \
	else \
		echo "Catalyst needs python3-venv to install uv: install it (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2; \
		exit 1; \
	fi || { rm -rf .uv; exit 1; }
