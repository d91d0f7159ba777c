# The environment in .venv is made on first use and again when the requirements change (.ci/bootstrap).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Where it is set, every process that a test or the demo starts would compile anew what has been edited.
unexport PYTHONDONTWRITEBYTECODE

bin := .venv/bin
workers ?= 3
# Tests start schemathesis as a program; as a plugin of pytest it would only be imported by each worker.
pytest := $(bin)/pytest -n $(workers) --dist loadgroup -p no:schemathesis

.PHONY: help demo demo-crash down test lint unit integration end-to-end test-compose soak screenshots bench bench-peers lock contracts vendor styles clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## Run a real pipeline on this machine: by hand, by event, by time, with a failure and its mail
	@.ci/bootstrap
	@$(bin)/orchestrator demo

demo-crash: ## Kill a runner in the middle of a run and watch another one take over
	@.ci/bootstrap
	@$(bin)/orchestrator demo --crash

down: ## Stop what the demo left running
	@.ci/bootstrap
	@$(bin)/orchestrator dev down

test: ## Lint, types, layers, packaging and all tests, on private servers that end with the run
	@.ci/bootstrap
	@[[ -n "$${TEST_AMQP_URL:-}$${TEST_CONTAINERS:-}" ]] || $(bin)/python -m orchestrator_local.servers.install broker
	@$(bin)/python -m orchestrator_local.servers.install browser prometheus postgres-exporter openssl
	@$(MAKE) lint
	@.ci/check-members
	@$(pytest) tests/unit tests/integration tests/end_to_end

lint: ## Check style, format, layers and types
	@.ci/bootstrap
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/lint-imports
	@$(bin)/mypy

unit: ## Tests that need no server
	@.ci/bootstrap
	@$(pytest) tests/unit

integration: ## Tests against real servers
	@.ci/bootstrap
	@$(pytest) tests/integration

end-to-end: ## Tests of all services together
	@.ci/bootstrap
	@$(pytest) tests/end_to_end

test-compose: ## Tests on a real Docker engine, started for them from Debian's packages (minutes; needs root)
	@.ci/bootstrap
	@$(bin)/python -m orchestrator_local.servers.install engine
	@$(bin)/pytest -s -p no:schemathesis tests/compose

soak: ## Faults for about twenty minutes; CONTRIBUTING.md describes the parts (slow)
	@.ci/bootstrap
	@.ci/faketime
	@$(bin)/pytest -s tests/soak

screenshots: ## Photograph every page with demo-like data into shots/: light, dark, and on a phone
	@.ci/bootstrap
	@$(bin)/python -m orchestrator_local.servers.install browser
	@SCREENSHOTS=shots $(bin)/pytest -q tests/integration/web/screenshots.py

bench: ## Measure the engine beside a minimal one, and count what it does (minutes; sections="goals counted ...")
	@.ci/bootstrap
	@$(bin)/python -m tests.benchmarks $(sections)

bench-peers: ## The same workloads on Celery, dramatiq, procrastinate and Prefect, each in an environment of its own
	@.ci/bootstrap
	@$(bin)/python -m tests.benchmarks peers

lock: ## Resolve the dependencies anew and write the locked requirements
	@.ci/bootstrap
	@source .ci/environment && PATH="$(CURDIR)/$(bin):$$PATH" requirements/compile

contracts: ## Generate docs/contracts from the message models and the API, and Grafana's dashboards
	@.ci/bootstrap
	@$(bin)/python -m orchestrator_shared.contracts
	@$(bin)/python -m orchestrator_api.openapi docs/contracts/openapi.json
	@$(bin)/python -m deploy.grafana.source deploy/grafana/dashboards

vendor: ## Fetch the web page's third-party files anew and check them against .ci/vendor.lock (needs npm)
	@.ci/bootstrap
	@$(bin)/python .ci/vendor

styles: ## Write what the pages use of the vendored style sheet (after a class of it came into use or left it)
	@.ci/bootstrap
	@$(bin)/python -m tests.support.styles

clean: ## Remove what can be made again: environment, caches, the demo's data (stop it first)
	@if [[ -x $(bin)/orchestrator ]]; then $(bin)/orchestrator dev down || true; fi
	@rm -rf .venv .orchestrator .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
