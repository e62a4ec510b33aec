# The words of this project. Each of them works on a bare checkout with only Python >= 3.11, make and a package index:
# an environment is made, or made again, when it is older than the files that describe it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PY := .venv/bin/python
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --no-input

# Without compiled files every start of Airflow takes 2.5 s longer. The others would lead an installation astray.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_CONSTRAINT PIP_NO_DEPS PIP_REQUIRE_VIRTUALENV

# What `make constraints` pins: Airflow's newest patch of each line, with what was on the index at that time, but for the
# compatibility provider, of which we need a newer one on every line.
NEWER := --exclude-newer-package apache-airflow-providers-common-compat=2026-11-01
AIRFLOW_3.1 := 3.1.8 --exclude-newer 2026-03-25 $(NEWER)
AIRFLOW_3.2 := 3.2.2 --exclude-newer 2026-06-15 $(NEWER)
AIRFLOW_3.3 := 3.3.2

# Floors and tools that do not depend on the Airflow line: the default line alone tests them.
SAME_ON_EVERY_LINE := contract api mlops emulator walk fuzz packaging docs
# Both cores, a file at a time on one of them: fixtures of a file are made once.
SIDE_BY_SIDE := -n 2 --dist loadfile
QUICK_TESTS := $(wildcard $(addprefix tests/,$(SAME_ON_EVERY_LINE)))
ARGS ?=

# $(call set_up,FOLDER,CONSTRAINTS,EXTRA): an environment with this checkout in it, editable.
define set_up
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=...")'
	@echo "setting up $(1) (about a minute, once)"
	@$(PYTHON) -m venv $(1)
	@$(1)/bin/python $(PIP_INSTALL) --constraint $(2) hatchling
	@$(1)/bin/python $(PIP_INSTALL) --constraint $(2) --no-build-isolation --editable '.[$(3)]'
	@touch $(1)/.ready
endef

.venv/.ready: pyproject.toml constraints.txt
	$(call set_up,.venv,constraints.txt,dev)

.venv-%/.ready: pyproject.toml constraints/airflow-%.txt
	$(call set_up,.venv-$*,constraints/airflow-$*.txt,test)

.venv-cluster/.ready: pyproject.toml constraints.txt
	$(call set_up,.venv-cluster,constraints.txt,cluster)

# make would remove them as by-products of a pattern rule.
.PRECIOUS: .venv-%/.ready

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z.0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r word text; do printf '  make %-14s %s\n' "$$word" "$$text"; done

.PHONY: demo
demo: .venv/.ready ## the pipelines on the emulator in real Airflow, with progress (STORY=promotion: one of them)
	@$(PY) -m demo.run $(STORY)

.PHONY: ui
ui: .venv/.ready ## Airflow's web UI with the example DAGs and the emulator, to look around; Ctrl-C ends it
	@$(PY) -m demo.ui

.PHONY: emulator
emulator: .venv/.ready ## the emulator of the service on 127.0.0.1:8085
	@$(PY) -m airflow_provider.emulator --host 127.0.0.1 --port 8085 --world demo --speed 60

.PHONY: test
test: .venv/.ready ## set-up and the suite (ARGS='tests/api -x' for a part)
	@$(PY) -m pytest -q $(SIDE_BY_SIDE) $(ARGS)

.PHONY: test-stack
test-stack: .venv/.ready ## tests that start real Airflow processes (some minutes)
	@$(PY) -m pytest -q -m stack $(ARGS)

# PostgreSQL and Redis as Debian packages; where they are missing and nobody is root, the tests name the package.
.PHONY: servers
servers:
	@{ command -v redis-server && ls /usr/lib/postgresql/*/bin/postgres; } >/dev/null 2>&1 || [ "$$(id -u)" != 0 ] || { \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql redis-server; }

.PHONY: test-deaths
test-deaths: .venv-cluster/.ready servers ## SIGKILL to each process of a real Airflow at its worst moments, on PostgreSQL (half an hour)
	@.venv-cluster/bin/python -m pytest -q -m deaths -o faulthandler_timeout=1800 tests/deaths $(ARGS)

.PHONY: test-distributed
test-distributed: .venv-cluster/.ready servers ## Airflow as on several machines, parts of which die (PROMOTIONS=200 UPLOADS=50, half an hour)
	@.venv-cluster/bin/python -m pytest -q -m distributed -o faulthandler_timeout=3600 tests/distributed $(ARGS)

.PHONY: test-kills
test-kills: .venv/.ready .venv-3.2/.ready .venv-3.1/.ready servers ## kill, time out and clear waiting tasks in real Airflow 3.1, 3.2 and 3.3 (half an hour)
	@failed=; for folder in .venv-3.1 .venv-3.2 .venv; do \
	  STACK_PYTHON=$(CURDIR)/$$folder/bin/python RECORD=1 $(PY) -m pytest -q -m kills -o faulthandler_timeout=1800 tests/kills $(ARGS) \
	    || failed="$$failed $$folder"; done; \
	if [ -n "$$failed" ]; then echo "failed in$$failed"; exit 1; fi

.PHONY: test-faults
test-faults: .venv/.ready ## every writing operator under faults, judged by the store (SCHEDULES=20000 SEED=20260302, half an hour; PARTS=file goes on where it broke off)
	@$(PY) -m tests.faults.run

.PHONY: test-replays
test-replays: .venv-cluster/.ready servers ## a share of them again in real Airflow, by its REST API (SCHEDULES=300 SEED=20260302, half an hour)
	@.venv-cluster/bin/python -m tests.faults.replays

.PHONY: soak
soak: .venv-cluster/.ready servers ## an hour of 2,000 waits in a real triggerer, watched and judged (MINUTES=3 WAITS=300)
	@.venv-cluster/bin/python -m tests.soak

.PHONY: test-echoes
test-echoes: .venv/.ready ## every writing operator while the service repeats what it is sent, at every request (a quarter of an hour)
	@ECHOES=all $(PY) -m pytest -q tests/trust/test_echoes.py $(ARGS)

.PHONY: test-contract
test-contract: .venv/.ready ## 100 drawn requests for each operation, fitting and unfit, judged by the contract (EXAMPLES=1000)
	@EXAMPLES=$${EXAMPLES:-100} $(PY) -m pytest -q -n 2 tests/fuzz $(ARGS)

.PHONY: test-wheel
test-wheel: .venv/.ready ## builds the wheel and tries it in a new environment for each Airflow line (some minutes)
	@$(PY) -m pytest -q -m slow_install tests/packaging $(ARGS)

.PHONY: test-matrix
test-matrix: ## the Airflow-facing tests on Airflow 3.1 and 3.2
	@failed=; for line in 3.1 3.2; do $(MAKE) test-$$line || failed="$$failed $$line"; done; \
	if [ -n "$$failed" ]; then echo "failed on Airflow$$failed"; exit 1; fi

test-%: .venv-%/.ready
	@echo "Airflow $*"
	@.venv-$*/bin/python -m pytest -q $(SIDE_BY_SIDE) $(foreach part,$(SAME_ON_EVERY_LINE),--ignore=tests/$(part)) $(ARGS)

.PHONY: check
check: .venv/.ready ## format, lint, types, dangerous code, floors and the quick tests
	@$(PY) -m ruff format --check --quiet . || { echo 'run: .venv/bin/ruff format .'; exit 1; }
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff check --quiet --preview --select AIR003,AIR004,AIR201,AIR202,AIR304,AIR321 example_dags
	@$(PY) -m mypy
	@$(PY) -m bandit --quiet --configfile pyproject.toml --recursive airflow_provider example_dags
	@$(PY) -m pytest -q $(QUICK_TESTS)

# Not in `make check`, which works without the network: it asks PyPI about every pin. --strict: what could not be asked
# about is a failure, so an index without advisories never looks like a clean one (ARGS='-s osv' asks another service).
# A waiver is a line here, `AUDIT_WAIVED += --ignore-vuln ID  # reason`; there is none.
AUDIT_WAIVED :=
UNAUDITED := no clean audit: either a vulnerability is named above, or what "could not be audited" has no advisories where \
  pip-audit asks (the JSON of https://pypi.org, which a mirror need not have); run it where that is reached, or with ARGS="-s osv"

.PHONY: audit
audit: ## known vulnerabilities in everything that is pinned, on all three Airflow lines
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python $(PIP_INSTALL) pip-audit
	@for file in constraints.txt constraints/airflow-3.1.txt constraints/airflow-3.2.txt; do \
	  .venv-audit/bin/pip-audit --strict --disable-pip --no-deps --requirement $$file $(AUDIT_WAIVED) $(ARGS) || \
	  { echo '$(UNAUDITED)'; exit 1; }; done

.PHONY: fresh
fresh: .venv/.ready ## renews the generated parts of the docs
	@$(PY) -m docs.generate

.PHONY: tested-by
tested-by: .venv/.ready ## renews which tests of the emulator ask for which operation (docs/COVERAGE.md)
	@TESTED_BY=1 $(PY) -m pytest -q tests/emulator
	@$(PY) -m docs.generate

.PHONY: coverage
coverage: .venv/.ready ## the suite with coverage (import lines included, which a plugin would miss)
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -q $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

.PHONY: bench
bench: .venv/.ready ## import cost of all operator modules and of the pytest plugin
	@$(PY) -m benchmarks.imports

.PHONY: bench-actuals
bench-actuals: .venv/.ready ## speed and memory of uploading actuals, and a backfill against the quota (ARGS='--rows 300000')
	@$(PY) -m benchmarks.actuals $(ARGS)

.PHONY: bench-datasets
bench-datasets: .venv/.ready ## memory and speed of datasets up and down, in megabytes (ARGS='1 200 2000')
	@$(PY) -m benchmarks.dataset_stream $(ARGS)

.PHONY: bench-exports
bench-exports: .venv/.ready ## an export's download beside curl, tee and sha256sum, in megabytes (ARGS='200 2000')
	@$(PY) -m benchmarks.exports $(ARGS)

.PHONY: wheel
wheel: .venv/.ready ## wheel and sdist in dist/
	@rm -rf dist
	@$(PY) -m hatchling build -d dist

# uv is needed here alone, for its --exclude-newer, and gets an environment of its own.
.PHONY: constraints
constraints: ## maintainers: renew the pinned versions of all three Airflow lines
	@$(PYTHON) -m venv .venv-uv
	@.venv-uv/bin/python $(PIP_INSTALL) uv
	@$(call compile,$(AIRFLOW_3.1),test,constraints/airflow-3.1.txt)
	@$(call compile,$(AIRFLOW_3.2),test,constraints/airflow-3.2.txt)
	@$(call compile,$(AIRFLOW_3.3),dev,constraints.txt)

# $(call compile,AIRFLOW VERSION [LIMITS],EXTRA,FILE): names and versions only, no addresses.
define compile
echo 'apache-airflow==$(firstword $(1))' | .venv-uv/bin/uv pip compile --quiet --python-version 3.11 --extra $(2) \
	$(wordlist 2,9,$(1)) --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade -o $(3) pyproject.toml -
endef

.PHONY: clean
clean: ## removes environments, builds and caches of this checkout
	@rm -rf .venv .venv-* build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
