PYTHON ?= python3
BIN = .venv/bin
DEMO ?= --budget 15m

.PHONY: install demo test lint types docs check clean

install: .venv/installed

.venv/installed: pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# Exit status 2 means "not decided within the budget": a demonstration may end that way.
demo: install
	$(BIN)/leadline advise $(DEMO) || [ $$? -eq 2 ]

test: install
	$(BIN)/python -m pytest -n 2 --cov=leadline --cov-report=term --cov-fail-under=90

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

docs: install
	$(BIN)/mkdocs build --strict --quiet

check: test lint types docs

clean:
	rm -rf .venv build dist site src/*.egg-info src/leadline/kernels/*.so
