SHELL := /bin/bash
VENV  ?= .venv
# A path may have spaces: make takes them in the names of files only behind a backslash.
empty :=
PLACE := $(subst $(empty) ,\ ,$(VENV))
STAMP := $(PLACE)/.installed
# The environment's own Python once it is there; before, the first on PATH that will do.
PY    ?= $(or $(wildcard $(PLACE)/bin/python),$(shell for one in python3.{11,12,13} python3; \
           do $$one -I stages/preflight.py --python-only &> /dev/null && break; done; command -v $$one))
export PATH := $(if $(filter /%,$(VENV)),,$(CURDIR)/)$(VENV)/bin:$(PATH)
export NO_ALBUMENTATIONS_UPDATE := 1
export MLFLOW_DISABLE_TELEMETRY := true
export DVC_NO_ANALYTICS := 1
# Some containers forbid Python to keep what it has compiled; each stage would compile it again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help check setup repro results test test-fast style lint ui

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# PyTorch is half a gigabyte. pip takes up a broken download where it ended, which not every server allows;
# then only a new beginning helps. What came whole is in pip's cache.
define install
for pause in 10 60 stop; do \
	"$(VENV)/bin/python" -m pip install --quiet -c constraints.txt $(1) && break; \
	test $$pause != stop || exit 1; \
	echo "make: the installation ended as said above; once more in $$pause seconds" >&2; sleep $$pause; \
done
endef

check:
	@"$(or $(PY),python3)" -I stages/preflight.py

$(STAMP): pyproject.toml constraints.txt | check
	test -x "$(VENV)/bin/pip" || "$(PY)" -m venv "$(VENV)"
	$(call install,--upgrade pip)
	$(call install,-e '.[dev]')
	touch "$@"

setup: $(STAMP)  ## make .venv and install pinned versions into it

# Stages at a time; repro.py says why.
LANES ?= 2
repro: $(STAMP)  ## run the whole pipeline, two trainings at a time; what is up to date is skipped
	python repro.py --lanes $(LANES)

results: $(STAMP)  ## the scores of each data set, as far as there are any
	@thermochroma results

style: $(STAMP)
	ruff check repro.py ui.py src stages tests benchmarks
	ruff format --check repro.py ui.py src stages tests benchmarks

lint: style  ## style and types
	mypy

# Types are checked by one of the tests, beside the others: alone, mypy leaves all cores but one idle.
test: style  ## style, types, and all tests
	python -m pytest -n auto --dist loadgroup

test-fast: $(STAMP)  ## the everyday loop: all rooms, one method of each kind of game, in a minute
	python -m pytest -n auto --dist loadgroup -m "not slow"

ui: $(STAMP)  ## browse the runs on http://127.0.0.1:5000
	python ui.py --port $${PORT:-5000}
