# Every daily act in one word. Settings are environment variables: docs/reference/settings.md
PYTHON := .venv/bin/python

.PHONY: help up host down demo test lint fix bench
.DEFAULT_GOAL := help

help: ## Say what each word does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST)

up: ## Set up what is missing, then serve on HOST:PORT until Ctrl-C
	@exec scripts/up

host: ## Set up what is missing, then run jobs for an installation elsewhere until Ctrl-C
	@exec scripts/host

down: ## Stop what `make up` started on the same PICLOUD_HOME
	@exec $(PYTHON) -m picloud_site.supervisor --stop

demo: ## make up, encode a video (VIDEO=file or folder), and keep serving
	@exec scripts/up --after "python scripts/demo.py"

test: ## All tests, on SQLite and PostgreSQL, with everything they need
	@scripts/setup test
	@exec $(PYTHON) scripts/run_tests.py

lint: ## ruff, mypy, djlint, and the version in the change log
	@scripts/setup lint
	@exec scripts/lint

fix: ## Let ruff mend what it can
	@scripts/setup lint
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

bench: ## Measure against Celery, Dask, RQ and xargs
	@scripts/setup bench
	@exec $(PYTHON) benchmarks/run.py
