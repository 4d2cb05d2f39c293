# Two commands do everything: `make demo` (the main job) and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin
ifdef ROS_DISTRO
# Without the ROS 2 wheels nothing else tells the loader and ament where this package is.
export LD_LIBRARY_PATH := $(CURDIR)/.venv/lib:$(LD_LIBRARY_PATH)
export AMENT_PREFIX_PATH := $(CURDIR)/.venv:$(AMENT_PREFIX_PATH)
endif

.PHONY: all demo test lint unit bench soak train-nano test-torch backend-torch clean help python set-up

all: set-up ## set up .venv and build

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

python:
	@command -v $(PYTHON) >/dev/null || { echo "set-up: $(PYTHON) was not found; install Python 3.11 or run 'make PYTHON=python3.11'" >&2; exit 2; }

set-up: python
	@$(PYTHON) .ci/set_up.py

BACKEND ?=
WITH_BACKEND := $(if $(BACKEND),--backend $(BACKEND))
demo: set-up $(if $(filter torch,$(BACKEND)),backend-torch) ## let nano drive the demo bag in process and through the nodes, compare, take its cause away, write the reports
	@$(BIN)/alpamayo replay run bags/demo --profile nano --baseline bags/demo_nano_baseline --out out/demo --force $(WITH_BACKEND)
	@echo; echo "the same drive through the ROS 2 nodes, a process each, in lockstep:"
	@$(BIN)/alpamayo replay run bags/demo --profile nano --baseline bags/demo_nano_baseline --out out/demo_graph --force --graph $(WITH_BACKEND)
	@echo; $(BIN)/alpamayo replay digests out/demo out/demo_graph
	@rm -rf out/counterfactual; echo; echo "nano drives an episode itself, with and without the vehicle ahead:"
	@$(BIN)/alpamayo world counterfactual lead_braking:0@held_out --remove lead --profile nano --out out/counterfactual

backend-torch: set-up ## put torch beside the stack, for BACKEND=torch and --backend torch (2 GB)
	@$(BIN)/python -c "import safetensors, torch" 2>/dev/null || $(BIN)/python -m pip install -q \
		-c constraints-$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])').txt -c constraints-training.txt \
		safetensors torch

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

TRAINING := .venv-training
TRAIN_OPTIONS ?=

$(TRAINING)/ready: pyproject.toml setup.py $(wildcard constraints-*.txt) | python
	@$(PYTHON) -m venv $(TRAINING)
	@$(TRAINING)/bin/python -m pip install -q -c constraints-$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])').txt \
		-c constraints-training.txt ".[training]" pytest pytest-timeout
	@touch $@

# -I: the source tree in this folder must not stand in for the installed package.
train-nano: $(TRAINING)/ready ## train nano from nothing into out/nano: 150 minutes on 2 cores; goes on where it was broken off
	@$(TRAINING)/bin/python -m pip install -q --no-deps --force-reinstall .
	@$(TRAINING)/bin/python -I -c "from alpamayo_ros.training.train_nano import main; main()" $(TRAIN_OPTIONS)

test-torch: $(TRAINING)/ready ## parity of nano with torch, and two minutes of training
	@$(TRAINING)/bin/python -m pip install -q --no-deps --force-reinstall .
	@$(TRAINING)/bin/pytest test/torch

clean: ## remove everything that the other targets made
	rm -rf .venv .venv-training build install log out .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
