PYTHON ?= python3
BIN = .venv/bin
DEMO ?= --budget 15m

.PHONY: install demo test reference lint types docs check clean

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

# The same tests on the plain loop: what they promise must not depend on compiled code. Left out: rooms that compute nothing
# with a kernel (reading, statistics, simulated studies, words and pages, accidents), the C drivers, which know nothing of routines, and the
# page of commands, where `leadline bench` compares the two.
reference: install
	LEADLINE_KERNELS=reference $(BIN)/python -m pytest -n 2 tests \
		$(foreach place,data stats calibration search report reliability test_attack.py,--ignore tests/$(place)) \
		--ignore tests/kernels/test_compilers.py --ignore tests/kernels/test_sanitizers.py \
		--deselect "tests/docs/test_pages.py::test_a_page_runs[docs/commands.md]"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

docs: install
	$(BIN)/mkdocs build --strict --quiet

check: test reference lint types docs

clean:
	rm -rf .venv build dist site src/*.egg-info src/leadline/kernels/*.so
