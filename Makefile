# Every recipe sets up what it needs and is the same here and in CI. Nothing is downloaded again while the locks stay as they are.
.DEFAULT_GOAL := help
.PHONY: help run setup test check lint fmt unit ui-check bench chaos fuzz soak pythons lock package clean setup-dev ui ui-packages system-packages
.NOTPARALLEL:

TEST_PYTHON := NUMBA_CACHE_DIR=$(CURDIR)/build/numba TRAIDER_CACHE_DIR=$(CURDIR)/build/strategies .venv/bin/python
# The engine is compiled once and not by each process of the tests; where that was done before, it takes a second.
PYTEST := $(TEST_PYTHON) -m traider.cli.warm && $(TEST_PYTHON) -m pytest

help: ## List these recipes
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: setup ui ## Start the platform in paper mode (ARGS="--port 8001" passes options on); Ctrl-C stops it
	@exec .venv/bin/traider up $(ARGS)

setup: ## Make .venv with traider in it
	@scripts/setup base

test: lint ui-check system-packages ui ## Set up everything the tests need and run them all: lint, types, dashboard, Python, browser
	@$(PYTEST) -n 2 $(ARGS)

check: lint unit ## While you work: lint and the quick tests

lint: setup-dev ## Ruff, mypy, import contracts
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/lint-imports --no-logo

unit: setup-dev ## The quick tests only: no browser, nothing slow (ARGS="-k risk" passes options on)
	@$(PYTEST) -n 2 -m "not browser and not slow" $(ARGS)

fmt: setup-dev ## Format the code and mend what can be mended by itself
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format --quiet .

bench: setup ## Measure speed and memory beside the peers (ARGS="--quick --only W1 --no-peers" shortens it)
	@.venv/bin/python -m benchmarks $(ARGS)

fuzz: setup-dev ## A million damaged messages of Coinbase's, before the compiled reader and the JSON readers (ARGS=10000 for fewer)
	@$(TEST_PYTHON) -m tests.connectors.coinbase.fuzz_frames $(ARGS)

chaos: setup ## A thousand random runs of orders, faults and kills (ARGS="--seeds 50000 --first 1000" asks for others)
	@.venv/bin/traider chaos --seeds 1000 $(ARGS)

soak: setup-dev ## A simulated week of exchange, guard and trader in minutes: memory has to stay flat (ARGS="--days 1 --parts")
	@LOG_LEVEL=ERROR $(TEST_PYTHON) -m tests.soak $(ARGS)

pythons: ## The same results on every Python that is promised and installed here (PYTHONS="/path/to/python3.12 ..." names them)
	@PYTHONS="$(PYTHONS)" scripts/pythons

lock: setup-dev ## Write requirements/*.txt again from pyproject.toml (ARGS=--upgrade takes newer versions)
	@scripts/lock $(ARGS)

package: setup ui ## Build the wheel, dashboard included, into dist/
	@.venv/bin/python -m pip wheel -qq --no-deps --no-build-isolation --no-index --wheel-dir dist .

clean: ## Remove what was built and installed; leaves your data (.traider) alone
	@rm -rf .venv .setup build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@rm -rf ui/node_modules ui/.next ui/out src/traider/api/static
	@find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

setup-dev:
	@scripts/setup dev

ui: setup
	@scripts/build-ui

ui-packages: setup
	@scripts/build-ui packages

ui-check: ui-packages
	@scripts/npm run --silent lint
	@scripts/npm run --silent types:check
	@scripts/npm run --silent typecheck
	@scripts/npm run --silent test

system-packages:
	@scripts/system-packages
