# Everything runs inside .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROMPT ?= a dog face

.PHONY: demo test test-slow chaos template-pictures check format clean

demo: $(VENV)/.installed
	@$(BIN)/nodegraph run workflows/text_to_image.json --prompt "$(PROMPT)" --output output

test: $(VENV)/.developing
	$(BIN)/python -m pytest

test-slow: $(VENV)/.developing
	$(BIN)/python -m pytest -m slow

# kills worker and server in every phase of the work, a quarter of an hour; CHAOS="--kills 3 --seed 7" for less
chaos: $(VENV)/.developing
	$(BIN)/python -m tests.chaos $(CHAOS)

# the small pictures of the templates, some minutes; they are kept in the repository
template-pictures: $(VENV)/.developing
	$(BIN)/python -m tests.template_pictures

check: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("nodegraph needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
