# The two commands of the README; everything else is `nox -l`.
PYTHON ?= python3
VENV ?= .venv
MLCUBE ?= .mlcube
BIN := $(VENV)/bin

.PHONY: demo test mlcube clean

demo: $(VENV)/.runtime
	$(BIN)/fixfirst run --workspace=workspace

test: $(VENV)/.development
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/nox --non-interactive

# MLCube needs packages of its own age, so it gets an environment of its own: $(MLCUBE)/bin/mlcube.
mlcube: $(MLCUBE)/.installed

$(MLCUBE)/.installed: mlcube/requirements.txt mlcube/host_runner/pyproject.toml
	$(PYTHON) -m venv $(MLCUBE)
	$(MLCUBE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r mlcube/requirements.txt
	$(MLCUBE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  ./mlcube/host_runner
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fixfirst needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) $(MLCUBE) .nox .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
