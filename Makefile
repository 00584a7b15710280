PYTHON ?= python3
DEMO_DIR ?= demo
DEMO_ARGS ?=
TEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install demo test lint clean

install: $(INSTALLED)

# The stamp holds until a list of packages changes, so that every other target starts at once.
$(INSTALLED): pyproject.toml constraints.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -r requirements-dev.txt -e .
	touch $@

demo: $(INSTALLED)
	$(BIN)/python -m pstyle demo -o $(DEMO_DIR) $(DEMO_ARGS)

# A worker a core; the tests of a file stay with one worker, which makes what they share once.
test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile $(TEST_ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
