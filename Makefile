# Two commands do everything: `make demo` (the main job) and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin
ifdef ROS_DISTRO
# Without the ROS 2 wheels nothing else puts the venv's libraries on the loader's path.
export LD_LIBRARY_PATH := $(CURDIR)/.venv/lib:$(LD_LIBRARY_PATH)
endif

.PHONY: all demo test lint types unit bench clean help

all: .venv-ready ## set up .venv and build

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

.PHONY: .venv-ready
.venv-ready:
	@command -v $(PYTHON) >/dev/null || { echo "set-up: $(PYTHON) was not found; install Python 3.11 or run 'make PYTHON=python3.11'" >&2; exit 2; }
	@$(PYTHON) .ci/set_up.py

demo: .venv-ready ## replay the demo bag, compare with its baseline, write the report
	@$(BIN)/alpamayo replay run bags/demo --profile kinematic --baseline bags/demo_baseline --out out/demo --force

test: .venv-ready ## everything that CI runs
	@$(PYTHON) .ci/test.py

lint: .venv-ready ## ruff, import-linter, mypy, codespell
	@$(PYTHON) .ci/test.py --only lint

unit: .venv-ready ## the tests without the linters
	@$(PYTHON) .ci/test.py --only tests

bench: .venv-ready ## measure; results are ratios, never a verdict
	@$(BIN)/pytest test/bench -m bench -s

clean: ## remove everything that the other targets made
	rm -rf .venv build install log out .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
