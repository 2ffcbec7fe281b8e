# Two commands matter: `make run` and `make test`. `make help` lists the rest.
PYTHON ?= python3
PORT ?= 5000
SIZES ?= 20000,200000,2000000
MONEY_EXAMPLES ?= 5000
MONEY_STEPS ?= 100
VENV := .venv
BIN := $(VENV)/bin
export PORT
# Tests start hundreds of processes and rewrite every assert: what Python compiled once is kept, whoever forbade it.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test test-fast coverage torture check lint format types floors seed demo-escrow bench load-chat lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: $(VENV)/.run ## Migrate, fill with the demo town, serve on PORT (5000)
	@$(BIN)/flask serve

test: $(VENV)/.dev ## Run everything on SQLite and on a real Postgres and Redis
	@$(BIN)/python -m pytest -n 3

test-fast: $(VENV)/.dev ## What needs nothing but SQLite, for in between
	@$(BIN)/python -m pytest -n 2 --fast

coverage: $(VENV)/.dev ## Run everything and print how much of marketplace/ it ran
	@$(BIN)/python -m pytest -n 3 --cov=marketplace --cov-report=term:skip-covered

check: lint types floors test ## What a change has to pass

lint: $(VENV)/.dev ## Ruff, lint and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.dev ## Let ruff write the format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy marketplace config.py wsgi.py

floors: $(VENV)/.dev ## The floors and rooms of docs/architecture.md
	@$(BIN)/lint-imports

seed: $(VENV)/.run ## Fill the database with the demo town (safe to repeat)
	@$(BIN)/flask db upgrade
	@$(BIN)/flask seed

demo-escrow: $(VENV)/.run ## The story of a task's money with the books after each step, on a database of its own
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		MARKETPLACE_ENV=development DATABASE_URL="sqlite:///$$folder/demo.db" UPLOADS_DIR="$$folder/uploads" \
		REDIS_URL= JOBS=embedded PAYMENT_PROVIDERS=fake RATE_LIMITS=0 LOG_LEVEL=ERROR $(BIN)/flask demo-escrow

torture: $(VENV)/.dev ## Die at every step, meet at every statement, migrate 10,000 rows a table, 5,000 random stories of money (hours)
	CRASH_EVERY=1 INTERLEAVE_EVERY=1 FUZZ_EXAMPLES=100 MONEY_EXAMPLES=$(MONEY_EXAMPLES) MONEY_STEPS=$(MONEY_STEPS) \
		$(BIN)/python -m pytest -n 2 tests/crash tests/races tests/fuzz tests/payments/test_properties.py tests/payments/shares/test_stories.py
	MIGRATION_ROWS=10000 $(BIN)/python -m pytest -n 2 tests/deals/test_deals_migration.py
	FLOOD_FELT=2 $(BIN)/python -m pytest tests/messaging/test_events_hostile.py

bench: $(VENV)/.bench ## Measure against the peers and print the ratios (SIZES=20000,200000 is shorter)
	@$(BIN)/python -m benchmarks --sizes "$(SIZES)"

load-chat: $(VENV)/.dev ## Talk over 1,000 sockets, hold 10,000
	@$(BIN)/python -m benchmarks.chat

lock: $(VENV)/.dev ## Compile requirements*.txt from pyproject.toml
	@$(BIN)/pip install -q uv
	@$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements.txt
	@$(BIN)/uv pip compile --group dev -c requirements.txt --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements-dev.txt

clean: ## Remove the environment and the demo database
	rm -rf $(VENV) instance

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make run PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 && test -x $(BIN)/pip || \
		{ rm -rf $(VENV); echo "This Python cannot make environments. Install it with: sudo apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing (first time only) ..."
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: benchmarks/requirements.txt $(VENV)/.dev
	@$(BIN)/pip install -q --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@
