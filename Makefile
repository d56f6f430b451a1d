# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
NEWEST := .venv/newest/bin
OLDEST := .venv/oldest/bin
BUILD := $(CURDIR)/.build
COLLECTION := ansible_collections.hybrid_identity.gpad
STEPS := sanity-newest sanity-oldest lint types unit unit-oldest artefact integration integration-oldest molecule awake

export ANSIBLE_CONFIG := $(BUILD)/ansible.cfg
export ANSIBLE_HOME := $(BUILD)/home
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)
export MYPYPATH := $(BUILD):$(CURDIR)
export PYTHONDONTWRITEBYTECODE := 1
export PATH := $(CURDIR)/$(NEWEST):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup test demo demo-down clean sanity $(STEPS)

help: ## print this table
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: packages, virtual environments, the link to the collection
	@$(PYTHON) -m tests.tools.environments

test: setup ## run every step, each with a header and its time; the last line counts them
	@$(NEWEST)/python -m tests.tools.gate $(STEPS)

lint: ## ruff, yamllint, ansible-lint (profile production, offline), changelog fragments
	$(NEWEST)/ruff check .
	$(NEWEST)/ruff format --check .
	$(NEWEST)/yamllint --strict .
	$(NEWEST)/antsibull-changelog lint
	$(NEWEST)/ansible-lint --offline

types: ## mypy --strict on the plugins and on the tests
	$(NEWEST)/mypy -p $(COLLECTION).plugins
	$(NEWEST)/mypy tests

unit: ## unit tests on the newest ansible-core
	$(NEWEST)/pytest -q -n 2 tests/unit

unit-oldest: ## unit tests on the oldest ansible-core
	$(OLDEST)/pytest -q -n 2 -o cache_dir=.cache/pytest-oldest tests/unit

integration: ## integration tests against the lab on the newest ansible-core
	$(NEWEST)/pytest -q -n 2 tests/integration

integration-oldest: ## the same on the oldest ansible-core, but for tests of the lab itself
	PATH="$(CURDIR)/$(OLDEST):$$PATH" $(OLDEST)/pytest -q -n 2 -o cache_dir=.cache/pytest-oldest tests/integration \
		--ignore=tests/integration/emulator --ignore=tests/integration/lab

sanity: sanity-newest sanity-oldest ## ansible-test sanity on both ansible-cores

sanity-newest: ## ansible-test sanity on the newest ansible-core
	@$(NEWEST)/python -m tests.tools.sanity newest

sanity-oldest: ## ansible-test sanity on the oldest ansible-core
	@$(NEWEST)/python -m tests.tools.sanity oldest

molecule: ## the molecule scenario: a role end to end, twice, the second time unchanged
	@test -d extensions/molecule/default || { echo "error: there is no scenario extensions/molecule/default"; exit 1; }
	cd extensions && MOLECULE_EPHEMERAL_DIRECTORY=$(BUILD)/molecule $(CURDIR)/$(NEWEST)/molecule test -s default

artefact: ## build the collection, compare its members, install it into an empty home, read its documentation there
	$(NEWEST)/pytest -q tests/artefact

awake: ## plant a fault for each step, in a copy: each must turn its step red
	$(NEWEST)/python -m tests.tools.awake

demo: setup ## start the lab and show a provisioning run, drift and its repair
	$(NEWEST)/python -m tests.demo

demo-down: ## end what the demo started
	$(NEWEST)/python -m tests.demo down

clean: ## remove what was built, but not a running lab
	rm -rf .build .cache .mypy_cache .ruff_cache .hypothesis .venv/newest .venv/oldest
