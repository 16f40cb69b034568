# Everything below works without root. See "make help".
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first interpreter that is new enough; name another one with "make PYTHON=...".
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CODE := odata_server security entities integration talent_hub_adapter
# One more than most machines of this kind have cores: many tests wait for a server now and then.
JOBS ?= 3
PARALLEL := --numprocesses $(JOBS) --dist worksteal --quiet
PYTEST := $(BIN)/pytest $(PARALLEL)
# What runs on PostgreSQL as well, on a private server that the tests start.
BOTH := tests/engine tests/odata_server/endpoints tests/odata_server/test_finance_operations_rows.py \
	tests/security/test_directory.py tests/entities/test_standard_rules.py tests/entities/test_human_resources_chain.py
# Of these, what depends on the database least runs on SQLite only, and at night on both.
ON_SQLITE_ONLY := $(addprefix --ignore=tests/odata_server/endpoints/,test_operation_parameters.py test_optional_parameters.py \
	test_operations.py test_absent_doors.py test_batch_hostile.py test_envelope.py test_header_rules.py test_paths.py \
	test_routes.py test_organization_functions.py test_step_registration.py test_user_settings.py organization_data protection \
	$(addprefix customization/test_,dependencies.py documented_definitions.py localized_rows.py metadata_changes.py \
	options.py rights_to_customize.py several_definitions.py solution_files.py solutions.py)) \
	--ignore-glob='*/test_sales_*'
# What draws its data at random, and draws forty times as much and more in the nightly run.
RANDOM_TESTS := tests/properties tests/odata_server/syntax/test_round_trip.py \
	tests/odata_server/endpoints/test_fetchxml_and_odata.py tests/application/test_hostile_requests.py \
	tests/application/test_hostile_writes.py tests/acceptance/test_concurrency.py \
	tests/acceptance/test_crash_in_batches.py

.PHONY: help install demo serve test coverage nightly check bench format lint types imports tests docs clean

help: ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: $(VENV)/installed ## Make the virtual environment that demo and serve need.

demo: $(VENV)/installed ## Run the whole Talent Hub chain against a simulator of its own.
	@$(BIN)/python -m odata_server.cli demo

serve: $(VENV)/installed ## Run the simulator until Ctrl-C.
	@$(BIN)/python -m odata_server.cli serve

test: format lint types imports tests docs ## Run every check that CI runs.

check: format lint types imports ## Run the checks that take seconds.

format: $(VENV)/installed-dev
	@$(BIN)/ruff format --check --quiet . && echo "format   ok"

lint: $(VENV)/installed-dev ## Look for defects in the text of the code.
	@$(BIN)/ruff check --quiet . && echo "lint     ok"

types: $(VENV)/installed-dev ## Check the types.
	@$(BIN)/mypy --no-error-summary && echo "types    ok"

imports: $(VENV)/installed-dev ## Check the arrows between the packages.
	@$(BIN)/lint-imports --no-logo >/dev/null && echo "imports  ok" || { $(BIN)/lint-imports --no-logo; exit 1; }

tests: $(VENV)/installed-dev ## Run the tests, those of the engine and of what goes through it on both databases.
	$(PYTEST) tests
	TALENTVERSE_TEST_DATABASE=PostgreSQL $(PYTEST) $(ON_SQLITE_ONLY) $(BOTH)

coverage: $(VENV)/installed-dev ## Run the tests with coverage of lines and branches: it takes two thirds as long again.
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest $(PARALLEL) --ignore tests/properties tests
	TALENTVERSE_TEST_DATABASE=PostgreSQL $(BIN)/coverage run -m pytest $(PARALLEL) tests/engine
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --skip-empty

nightly: $(VENV)/installed-dev ## Run the random tests at length, with other data each time, and all of both databases: hours.
	HYPOTHESIS_PROFILE=nightly $(PYTEST) $(RANDOM_TESTS)
	TALENTVERSE_TEST_DATABASE=PostgreSQL $(PYTEST) $(BOTH)

docs: $(VENV)/installed-dev ## Run the examples in the documentation.
	@$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile --quiet docs README.md

bench: $(VENV)/installed-dev ## Measure the speed (see benchmarks/).
	@$(BIN)/python -m benchmarks

clean: ## Remove what the other targets made, except data directories.
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* htmlcov
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(CODE) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Packages come from the lock files only, with their hashes. setuptools builds the project itself: its entry is taken
# from the development lock, because the interpreter's own may be missing or too old.
$(VENV)/installed: requirements.lock $(VENV)/build-backend
	@echo "installing what the simulator needs ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/build-backend
	@echo "installing what the checks need ..."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed

$(VENV)/build-backend: pyproject.toml | $(VENV)/pyvenv.cfg
	@awk '/^[^ #]/ { keep = /^setuptools==/ } keep && !/^ *#/' requirements-dev.lock > $(VENV)/build-backend.lock
	@$(PIP) --require-hashes -r $(VENV)/build-backend.lock
	@touch $@

$(VENV)/pyvenv.cfg:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "the module venv is missing: sudo apt-get install python3-venv" >&2; exit 1; fi
	@$(PYTHON) -m venv $(VENV)
