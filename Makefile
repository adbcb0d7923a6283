# Everything starts from a bare machine with Python 3.11 or newer and make:
# each target below sets up what it needs and leaves nothing running (but stack-up).
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SOURCES := alerting benchmarks ingest models simulators tests thuiswacht.py
# Whatever is given here is handed on: make demo ARGS="--patients 50 --days 30"
ARGS ?=
# Dependencies come from the pinned list; a newer pip, or a notice about one, changes nothing.
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(INSTALLED) ## simulated patients through real Kafka, Postgres and the rules, ending with a table
	$(BIN)/thuiswacht demo $(ARGS)

.PHONY: test
test: lint types tests ## everything that must hold: lint, types, architecture, then all tests

.PHONY: tests
tests: $(INSTALLED) ## all tests, spread over the processors
	$(BIN)/pytest --numprocesses=auto --no-loadscope-reorder $(ARGS)

.PHONY: fuzz
fuzz: $(INSTALLED) ## random bytes through the rule engine, with every index of its arrays checked
	cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$$cache $(BIN)/pytest tests/unit/engine/test_fuzz.py

.PHONY: lint
lint: $(INSTALLED) ## style and import rules, without changing anything
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/lint-imports --no-cache

.PHONY: format
format: $(INSTALLED) ## put the sources in shape
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: types
types: $(INSTALLED) ## pyright, strict
	$(BIN)/basedpyright

.PHONY: bench
bench: $(INSTALLED) ## what this machine stores and checks per second, and what bounds it
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-console
bench-console: $(INSTALLED) ## how fast the screens are for 50 nurses and 5,000 open alerts; ARGS=--help
	$(BIN)/python -m benchmarks.console $(ARGS)

.PHONY: bench-gateway
bench-gateway: $(INSTALLED) ## how much the front gate takes, and how long it takes; ARGS=--help
	$(BIN)/python -m benchmarks.gateway $(ARGS)

.PHONY: bench-load
bench-load: $(INSTALLED) ## what the whole flow holds, and how soon it alerts; ARGS=--help
	$(BIN)/thuiswacht load --stack $(ARGS)

.PHONY: pictures
pictures: $(INSTALLED) ## pictures of the main screens, taken from the demo, for the README
	$(BIN)/python -m benchmarks.pictures $(ARGS)

.PHONY: bench-rules
bench-rules: $(INSTALLED) ## how fast the rules are; ARGS=engine, scaling, region or peers
	$(BIN)/python -m benchmarks.rules $(or $(ARGS),engine)

.PHONY: stack-up
stack-up: $(INSTALLED) ## Kafka and Postgres without Docker, until `make stack-down`
	$(BIN)/thuiswacht stack up $(ARGS)

.PHONY: stack-down
stack-down: $(INSTALLED) ## stop what `make stack-up` started
	$(BIN)/thuiswacht stack down $(ARGS)

.PHONY: lock
lock: $(INSTALLED) ## resolve the dependencies anew into the constraints files
	echo hatchling | $(LOCK) - --output-file constraints-build.txt
	$(LOCK) pyproject.toml --output-file constraints.txt
	$(LOCK) pyproject.toml --extra dev --output-file constraints-dev.txt

# One list for every Python and platform; hashes, but no addresses: where packages come from is the machine's affair.
LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.PHONY: clean
clean: ## remove the virtual environment and all caches in this folder
	rm -rf $(VENV) .hypothesis .import_linter_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is the last thing written: an installation that was cut off is done again.
$(INSTALLED): constraints-dev.txt pyproject.toml
	@[ -e $@ ] && $(BIN)/python -c '' || { $(FIND_PYTHON); \
		echo "creating $(VENV) with $$($$python --version)"; $$python -m venv --clear $(VENV); }
	@echo "installing the pinned dependencies (a minute or two when they are not cached)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement constraints-dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The first Python that is new enough, not newer than the compiled packages, and able to make an environment.
define FIND_PYTHON
for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
		2>/dev/null && break; python=; \
done; \
[ -n "$$python" ] || { echo "thuiswacht needs Python 3.11 to 3.14 with venv (Debian: python3-venv);" \
	"found none on the PATH. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
endef
