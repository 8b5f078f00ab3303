# Two commands start everything: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOAK_POINTS ?= 1000
DEMO ?= demo
VALIDATE_REPLICATES ?= 1

.PHONY: demo test check soak validate validate-mer nano gallery constraints clean help

help:
	@echo "make demo   set up, rehearse the example study, render a 15-minute session, write the report"
	@echo "make test   set up and run the tests (10 minutes at most)"
	@echo "make check  style, types, import contracts, README commands, example protocols"
	@echo "make soak   long fault runs (SOAK_POINTS=$(SOAK_POINTS) kill points)"
	@echo "make validate  type-I error, power and coverage by simulation (VALIDATE_REPLICATES=$(VALIDATE_REPLICATES))"
	@echo "make validate-mer  hear 4 GB of freely licensed game music (Debian packages, no root), write docs/mer.md;"
	@echo "                   packages with sizes: python -m tests.listening.validate --help"
	@echo "make nano   train a small MusicGen and its adapters from nothing, evaluate them, write docs/generator.md"
	@echo "make gallery  twelve half-minutes of the composer to hear and see: build/gallery/index.html"

$(VENV)/.ready-demo: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "isopath needs Python 3.11 or later; name one: make demo PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 2; }
	@echo "Setting up $(VENV) ..."; start=$$(date +%s); \
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . && \
	touch $@ && echo "Set-up took $$(( $$(date +%s) - start )) s."

$(VENV)/.ready-test: $(VENV)/.ready-demo
	@echo "Adding what the tests need ..."; start=$$(date +%s); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,training,cluster,postgres]' && \
	touch $@ && echo "Adding it took $$(( $$(date +%s) - start )) s."

demo: $(VENV)/.ready-demo
	@$(BIN)/isopath demo $(DEMO)

test: $(VENV)/.ready-test
	@$(BIN)/python -m pytest -m "not soak"

check: $(VENV)/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/isopath check protocols/examples/*.json
	$(BIN)/python -m pytest -n 0 --no-header tests/readme.py

soak: $(VENV)/.ready-test
	@ISOPATH_SOAK_POINTS=$(SOAK_POINTS) $(BIN)/python -m pytest -n 0 -m soak

validate: $(VENV)/.ready-test
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.simulation.validate --scale $(VALIDATE_REPLICATES)

validate-mer: $(VENV)/.ready-test
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.listening.validate

nano: $(VENV)/.ready-test
	@$(BIN)/python -m tests.nano.run

gallery: $(VENV)/.ready-demo
	@PYTHONPATH=. $(BIN)/python scripts/gallery.py build/gallery/index.html

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

constraints:
	@rm -rf build/constraints && $(PYTHON) -m venv build/constraints && \
	build/constraints/bin/python -m pip install --quiet '.[dev,training,cluster,postgres]' && \
	{ echo "# What the suite was last run with; written by: make constraints"; \
	  build/constraints/bin/python -m pip freeze --exclude isopath | grep -v -e + -e '^triton' -e '^nvidia' -e '^cuda'; } > constraints.txt
