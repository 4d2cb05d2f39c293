# Two commands do everything: `make demo` (the main job) and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin
ifdef ROS_DISTRO
# Without the ROS 2 wheels nothing else tells the loader and ament where this package is.
export LD_LIBRARY_PATH := $(CURDIR)/.venv/lib:$(LD_LIBRARY_PATH)
export AMENT_PREFIX_PATH := $(CURDIR)/.venv:$(AMENT_PREFIX_PATH)
endif

.PHONY: all demo test lint unit bench soak clean help python set-up

all: set-up ## set up .venv and build

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

python:
	@command -v $(PYTHON) >/dev/null || { echo "set-up: $(PYTHON) was not found; install Python 3.11 or run 'make PYTHON=python3.11'" >&2; exit 2; }

set-up: python
	@$(PYTHON) .ci/set_up.py

demo: set-up ## replay the demo bag in process and through the nodes, compare, write the reports
	@$(BIN)/alpamayo replay run bags/demo --profile kinematic --baseline bags/demo_baseline --out out/demo --force
	@echo; echo "the same drive through the ROS 2 nodes, a process each, in lockstep:"
	@$(BIN)/alpamayo replay run bags/demo --profile kinematic --baseline bags/demo_baseline --out out/demo_graph --force --graph
	@echo; $(BIN)/alpamayo replay digests out/demo out/demo_graph

test: python ## everything that CI runs, set-up included
	@$(PYTHON) .ci/test.py

lint: python ## ruff, import-linter, mypy, codespell
	@$(PYTHON) .ci/test.py --only lint

unit: python ## the tests without the linters
	@$(PYTHON) .ci/test.py --only tests

bench: set-up ## measure; results are ratios, never a verdict
	@$(BIN)/pytest test/bench -m bench -s

SOAK_S ?= 3600
soak: set-up ## fuzz everything that reads bags for SOAK_S seconds; what it learns stays in out/fuzz
	@mkdir -p out/fuzz/corpus
	@cd out/fuzz && ../../$(BIN)/python ../../test/fuzz/bag_target.py corpus -max_total_time=$(SOAK_S) \
		-timeout=30 -rss_limit_mb=2048 -max_len=40000 -print_final_stats=1

clean: ## remove everything that the other targets made
	rm -rf .venv build install log out .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
