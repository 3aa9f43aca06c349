# `make demo` and `make test` are the commands of the README; `make lock` renews the pinned packages. The checks of
# `make test` are nox sessions; `nox -l` lists them.
PYTHON ?= python3
VENV ?= .venv
MLCUBE ?= .mlcube
UV ?= .uv
LOWEST ?= .lowest
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
# pip would compile the modules one after the other, and also what nobody imports: the packages' own tests, itself and
# what mypy has as libraries
COMPILE_MODULES = $(BIN)/python -m compileall -qq -j 0 -x '/site-packages/((pip|setuptools|mypyc?)/|.*/tests?/)' $(VENV)/lib || true

.PHONY: demo test mlcube lock test-lowest clean

demo: $(VENV)/.runtime
	$(BIN)/fixfirst run --workspace=workspace

test: $(VENV)/.development
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/nox --non-interactive

# MLCube depends on old packages, so it gets a separate environment: $(MLCUBE)/bin/mlcube. The tests take uv for it.
MLCUBE_VENV = $(PYTHON) -m venv
MLCUBE_PIP = $(MLCUBE)/bin/python $(PIP_INSTALL)

mlcube: $(MLCUBE)/.installed

$(MLCUBE)/.installed: mlcube/requirements.txt mlcube/host_runner/pyproject.toml
	$(MLCUBE_VENV) $(MLCUBE)
	$(MLCUBE_PIP) --no-compile --no-deps --require-hashes -r mlcube/requirements.txt
	$(MLCUBE_PIP) --no-deps --no-build-isolation ./mlcube/host_runner
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fixfirst needs Python 3.11 or newer. Fix: name one, as in make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The lists are complete, so pip installs exactly these packages (--no-deps) and nothing else. Neither a new release nor a
# pip that resolves extras differently can break the installation.
INSTALL_LIST := $(BIN)/python $(PIP_INSTALL) --no-compile --no-deps --require-hashes -r
INSTALL_OURS := $(BIN)/python $(PIP_INSTALL) --no-build-isolation --no-deps -e .
OURS := pyproject.toml cleaning/fixfirst/__init__.py

$(VENV)/.packages: $(BIN)/python requirements.txt
	$(INSTALL_LIST) requirements.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/.packages $(OURS)
	$(INSTALL_OURS)
	$(COMPILE_MODULES)
	@touch $@

# uv installs the same packages in a third of the time. It has its own settings for mirrors, so where it cannot install
# them, pip does.
BOTH_LISTS := requirements.txt -r requirements-dev.txt
BY_UV := $(BIN)/uv pip install --quiet --system-certs --python=$(BIN)/python

$(VENV)/.development: $(BIN)/python requirements.txt requirements-dev.txt $(OURS)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(VENV)/uv.txt
	$(INSTALL_LIST) $(VENV)/uv.txt
	$(BY_UV) --no-deps --require-hashes -r $(BOTH_LISTS) || $(INSTALL_LIST) $(BOTH_LISTS)
	$(BY_UV) --no-build-isolation --no-deps -e . || $(INSTALL_OURS)
	$(COMPILE_MODULES)
	@touch $(VENV)/.packages $(VENV)/.runtime $@

# Renews every pinned list (needs a network). uv has its own environment, so this works even if the lists are broken.
COMPILE := $(UV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-strip-extras --no-emit-index-url \
  --no-emit-find-links --no-header --no-annotate --python-version=3.11

# requirements-dev.txt has what the checks need beyond requirements.txt.
lock: $(UV)/bin/uv
	$(COMPILE) pyproject.toml requirements-build.in -o requirements.txt
	$(COMPILE) pyproject.toml requirements-build.in --group=dev -c requirements.txt -o requirements-dev.txt \
	  $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package=\1/p' requirements.txt)
	$(COMPILE) mlcube/requirements.in --override=mlcube/overrides.txt -o mlcube/requirements.txt

# Runs the tests with the oldest versions that pyproject.toml allows (needs a network).
test-lowest: $(UV)/bin/uv
	$(UV)/bin/uv venv --quiet --clear --python=$(PYTHON) $(LOWEST)
	$(UV)/bin/uv pip compile --quiet --python=$(LOWEST) --resolution=lowest-direct --all-extras pyproject.toml -o $(LOWEST)/lowest.txt
	$(UV)/bin/uv pip install --quiet --python=$(LOWEST) -r $(LOWEST)/lowest.txt --group=dev
	$(UV)/bin/uv pip install --quiet --python=$(LOWEST) --no-deps --no-build-isolation -e .
	PATH="$(abspath $(LOWEST)/bin):$$PATH" $(LOWEST)/bin/nox --non-interactive -s lowest

$(UV)/bin/uv:
	$(PYTHON) -m venv $(UV)
	$(UV)/bin/python $(PIP_INSTALL) uv

clean:
	rm -rf $(VENV) $(MLCUBE) $(UV) $(LOWEST) .nox .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache dist
