# Everything that is typed by hand. `make` alone builds the environment in .venv; each other target builds what it needs first.
#
#   make demo  [LOG=incidents.csv] [ARGS=--json]    the pipeline at work, on an embedded broker
#   make test  [ARGS='-k word']                     ruff, mypy and every test this machine can run
#   make check | bench | chaos | generate | lock | audit | sbom | clean

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := env
.PHONY: env demo test check format bench chaos generate lock audit sbom clean

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9

# The first interpreter that runs, is new enough and can build an environment (a version manager's shim may be there and not run).
SUITS := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
FIND_PYTHON = for name in python3.13 python3.12 python3.11 python3; do \
	if "$$name" -c '$(SUITS)' >/dev/null 2>&1; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	echo 'cspulse needs Python 3.11 or newer with its venv module, and found none under the names python3.13, python3.12, python3.11, python3.' >&2; \
	echo 'Install one (on Debian or Ubuntu: apt-get install python3 python3-venv) and run make again.' >&2; \
	exit 1; \
	fi

# All output of the set-up goes to standard error: standard output belongs to the command that was asked for.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

env: $(VENV)/.dev

$(VENV)/.runtime: requirements.txt pyproject.toml
	@$(FIND_PYTHON); \
	echo "Setting up $(VENV) (once; half a minute or so) ..." >&2; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV) >&2
	@$(PIP_INSTALL) -r requirements.txt >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@$(PIP_INSTALL) -r requirements-dev.txt >&2
	@touch $@

demo: $(VENV)/.runtime
	@$(BIN)/cspulse demo $(if $(LOG),--log "$(LOG)") $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

test: check
	@$(BIN)/python -m pytest $(ARGS)

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.dev
	@CHAOS_EVENTS=$${CHAOS_EVENTS:-1000000} $(BIN)/python -m pytest -m chaos -s $(ARGS)

# Writes what is generated from the code and checked in: dashboards, the reference of the metrics, the AsyncAPI document.
generate: $(VENV)/.dev
	@$(BIN)/python -m deploy.generate

# Resolves the dependencies anew, for every promised Python and platform, with hashes and without any index's address.
LOCK = .venv-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet $(LOCK_ARGS)

lock: .venv-lock/bin/uv
	@$(LOCK) --group build --output-file requirements.txt >&2
	@$(LOCK) --group build --group dev --constraint requirements.txt --output-file requirements-dev.txt >&2

.venv-lock/bin/uv:
	@$(FIND_PYTHON); "$$python" -m venv .venv-lock >&2
	@.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) >&2

# Known vulnerabilities of what is locked. An index without such data (a mirror) says of each package that it could not be looked at.
audit: $(VENV)/.dev
	@$(BIN)/pip-audit --requirement requirements.txt --require-hashes --disable-pip --progress-spinner off

# The bill of materials of what runs, in CycloneDX, from the lock.
sbom: $(VENV)/.dev
	@mkdir -p dist
	@$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-format JSON --output-file dist/sbom.json
	@echo dist/sbom.json >&2

clean:
	@rm -rf $(VENV) .venv-lock .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
