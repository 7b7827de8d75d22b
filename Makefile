# Everything runs inside .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROMPT ?= a dog face

NPM := $(BIN)/python hatch_build.py npm

.PHONY: demo web web-dev test test-slow chaos template-pictures tour-pictures check format clean

demo: $(VENV)/.installed
	@$(BIN)/nodegraph run workflows/text_to_image.json --prompt "$(PROMPT)" --output output
	@echo "To open the editor: $(BIN)/nodegraph serve, then http://127.0.0.1:8420 in a browser"

# the editor that the server gives; installing the package builds it as well
web: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .

# the editor as it is edited, for a server that runs: nodegraph serve
web-dev: web/node_modules/.developing
	$(NPM) run dev

test: $(VENV)/.developing web/node_modules/.developing
	$(BIN)/python hatch_build.py
	$(BIN)/python -m pytest
	$(NPM) test --silent

test-slow: $(VENV)/.developing
	$(BIN)/python -m pytest -m slow

# kills worker and server in every phase of the work, a quarter of an hour; CHAOS="--kills 3 --seed 7" for less
chaos: $(VENV)/.developing
	$(BIN)/python -m tests.chaos $(CHAOS)

# the small pictures of the templates, some minutes; they are kept in the repository
template-pictures: $(VENV)/.developing
	$(BIN)/python -m tests.template_pictures

# the pictures of docs/tour.md, by taking the tour
tour-pictures: $(VENV)/.developing
	$(BIN)/python hatch_build.py
	$(BIN)/python -m tests.tour_pictures

check: $(VENV)/.developing web/node_modules/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run types --silent -- --check
	$(NPM) run check --silent

format: $(VENV)/.developing web/node_modules/.developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run format --silent

clean:
	rm -rf $(VENV) output web/node_modules nodegraph/server/editor .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/.installed: pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -c 'import sys; sys.exit("nodegraph needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

web/node_modules/.developing: web/package-lock.json | $(VENV)/.developing
	$(NPM) ci --no-audit --no-fund --silent
	touch $@
