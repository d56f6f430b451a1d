# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
NEWEST := .venv/newest/bin
OLDEST := .venv/oldest/bin
BUILD := $(CURDIR)/.build
ADAPTER_TESTS := $(addprefix tests/integration/directory/test_,reading.py writing.py)
COLLECTION := ansible_collections.hybrid_identity.gpad
# The longest first, beside which the others run; what comes last wants the machine for itself.
STEPS := integration sanity-newest sanity-oldest lint types unit unit-oldest artefact examples integration-next \
	integration-oldest molecule
ALL_STEPS := $(STEPS) awake
# Set where what takes minutes is run, too.
LONG ?=

export ANSIBLE_CONFIG := $(BUILD)/ansible.cfg
export ANSIBLE_HOME := $(BUILD)/home
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)
export MYPYPATH := $(BUILD):$(CURDIR)
# No folder of the collection gets compiled files, which would be taken for parts of it.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/pycache
# Else every process would compile even Python's own library again: from that folder alone is bytecode read.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(NEWEST):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup test test-all demo demo-down clean sanity lint-python lint-yaml lint-ansible lint-changelog large crash bench $(ALL_STEPS)

help: ## print this table
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: packages, virtual environments, the link to the collection
	@$(PYTHON) -m tests.tools.environments

test: setup ## what every change has to pass: each step with a header and its time; the last line counts them
	@$(NEWEST)/python -m tests.tools.gate $(STEPS)

test-all: setup ## the same with all that takes minutes, as before a release; more than an hour
	@LONG=1 $(NEWEST)/python -m tests.tools.gate $(ALL_STEPS)

# ONLY narrows a step: make unit ONLY=tests/unit/test_imports.py, make sanity-newest ONLY="--test pylint".
lint: lint-python lint-yaml lint-ansible lint-changelog ## all four linters

lint-python: ## ruff check, ruff format --check
	$(NEWEST)/ruff check $(or $(ONLY),.)
	$(NEWEST)/ruff format --check $(or $(ONLY),.)

lint-yaml: ## yamllint
	$(NEWEST)/yamllint --strict $(or $(ONLY),.)

lint-ansible: ## ansible-lint, profile production, offline
	$(NEWEST)/ansible-lint --offline $(ONLY)

lint-changelog: ## the fragments of the changelog
	$(NEWEST)/antsibull-changelog lint $(ONLY)

types: ## mypy --strict on the plugins and on the tests
	$(NEWEST)/mypy $(or $(ONLY),-p $(COLLECTION).plugins)
	$(if $(ONLY),,$(NEWEST)/mypy tests)

unit: ## unit tests on the newest ansible-core
	$(NEWEST)/pytest -q -n 2 $(or $(ONLY),tests/unit)

# What depends on ansible-core; the rest depends on Python alone.
SHELL_TESTS := $(addprefix tests/unit/,$(addprefix plugins/,action filter plugin_utils module_utils/_module) test_role.py)
unit-oldest: ## unit tests of what depends on ansible-core, on the oldest one; LONG=1 for all
	$(OLDEST)/pytest -q -n 2 -o cache_dir=.cache/pytest-oldest $(or $(ONLY),$(if $(LONG),tests/unit,$(SHELL_TESTS)))

# Each worker takes neighbours, and the rest of the other's when it has none left, so that most labs start once.
PYTEST_LABS := pytest -q -n 2 --dist worksteal --durations 20
integration: ## integration tests against the lab on the newest ansible-core; LONG=1 for those that take minutes, too
	$(NEWEST)/$(PYTEST_LABS) --junitxml $(BUILD)/logs/integration.xml \
		$(or $(ONLY),tests/integration $(if $(LONG),,-m "not long"))

integration-next: ## the adapter of Active Directory with the pre-release of the next ldap3
	PYTHONPATH=.venv/ldap3-next $(NEWEST)/pytest -q -o cache_dir=.cache/pytest-next $(or $(ONLY),$(ADAPTER_TESTS))

# Minutes, so that no gate runs it. LARGE_LAB=.lab/large keeps the lab of the last run for the next one.
large: ## a group of 50,000 members through the modules: operations, times, memory
	$(NEWEST)/pytest -q -s $(or $(ONLY),tests/large)

crash: ## modules killed before and after every step and at 200 random moments, and twelve storms; some ten minutes
	GPAD_CRASHES=200 $(NEWEST)/pytest -q -n 2 $(or $(ONLY),tests/integration/faults)

# An hour and more, so that no gate runs it.
bench: ## measure against peers on a lab: a table, and JSON lines in .build/bench
	$(NEWEST)/python -m tests.bench $(ONLY)

examples: ## the worked examples of the docs, with the collections that they name
	$(NEWEST)/pytest -q $(or $(ONLY),tests/examples)

# What a role's tasks and templates need of ansible-core; the rest of the playbooks runs on the newest one alone.
OLDEST_TESTS := $(addprefix tests/integration/,playbooks/test_provision.py playbooks/test_quarantine.py \
	playbooks/test_drift.py playbooks/test_schedule.py modules/test_provisioning.py modules/test_control.py)
SHORT_OLDEST_TESTS := tests/integration/playbooks/test_provision.py -m "not long"
integration-oldest: ## playbooks on the oldest ansible-core; LONG=1 for all that depends on it, and each module once
	PATH="$(CURDIR)/$(OLDEST):$$PATH" $(OLDEST)/$(PYTEST_LABS) -o cache_dir=.cache/pytest-oldest \
		$(or $(ONLY),$(if $(LONG),$(OLDEST_TESTS),$(SHORT_OLDEST_TESTS)))

sanity: sanity-newest sanity-oldest ## ansible-test sanity on both ansible-cores

sanity-newest: ## ansible-test sanity on the newest ansible-core
	@$(NEWEST)/python -m tests.tools.sanity newest $(ONLY)

# What is judged by the ansible-core that it runs on; the other tests judge the source, which the newest one does.
CORE_SANITY := $(addprefix --test ,action-plugin-docs ansible-doc compile import runtime-metadata validate-modules)
sanity-oldest: ## what depends on ansible-core of ansible-test sanity, on the oldest one; LONG=1 for all
	@$(NEWEST)/python -m tests.tools.sanity oldest $(or $(ONLY),$(if $(LONG),,$(CORE_SANITY)))

# ONLY names one scenario.
ALL_SCENARIOS = $(patsubst extensions/molecule/%/molecule.yml,%,$(wildcard extensions/molecule/*/molecule.yml))
SCENARIOS = $(or $(ONLY),$(if $(LONG),$(ALL_SCENARIOS),default))
molecule: ## a molecule scenario, roles end to end, twice, the second time unchanged; LONG=1 for all of them
	@$(NEWEST)/python -m tests.tools.scenarios $(SCENARIOS)

artefact: ## build the collection, compare its members, install it into an empty home, read its documentation there
	$(NEWEST)/pytest -q $(or $(ONLY),tests/artefact)

awake: ## plant a fault for each step, in a copy: each must turn its step red
	$(NEWEST)/python -m tests.tools.awake

demo: setup ## start the lab and show a provisioning run, drift and its repair
	$(NEWEST)/python -m tests.demo

demo-down: ## end what the demo started
	$(NEWEST)/python -m tests.demo down

clean: ## remove what was built, but not a running lab
	rm -rf .build .cache .mypy_cache .ruff_cache .hypothesis .venv/newest .venv/oldest .venv/ldap3-next
