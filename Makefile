# Every target makes the environment first; a second call finds it ready.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# A process for each core, so one thread for each: more would wait for one another, most of all beside other work.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist loadfile
READY := .venv/ready
PYTHONS ?= 3.11 3.12 3.13

.PHONY: demo test fast fuzz check docs dist bench table clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[all]"
	touch $@

demo: $(READY)  ## The whole path on built-in objects: render, train, evaluate. At most 6 minutes on 2 cores.
	$(BIN)/iebench demo --out demo

test: $(READY)  ## Every test. Nine minutes on 2 cores.
	$(PYTEST)

fast: $(READY)  ## The tests that start neither Blender nor training. 45 seconds on 2 cores.
	$(PYTEST) -m "not slow"

fuzz: $(READY)  ## Damaged datasets, runs, objects and pictures, twenty times as many as the tests try.
	IEBENCH_FUZZ=20 $(BIN)/pytest tests/fuzz --timeout 3600

check: $(READY)  ## Format, lint, types.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py
	$(BIN)/mypy benchmarks/studies/*.py

docs: $(READY)  ## The documentation as a site, in site/. A broken link fails, or a public symbol without a docstring.
	$(BIN)/ruff check --select D1 --ignore D105,D107 iebench render models
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

dist: $(READY)  ## The wheel and the sdist, and each Python of PYTHONS with the wheel in a clean environment, at work. Slow.
	$(BIN)/python tests/install/clean_environments.py --dist dist --python $(PYTHONS)

bench: $(READY)  ## Every performance claim, ours and the plain way in one run; a JSON line each.
	for script in benchmarks/*.py; do $(BIN)/python $$script; done

table: $(READY)  ## The table of docs/results.md: renders, trains and evaluates; hours on 2 cores, and goes on where it was stopped.
	$(BIN)/python benchmarks/studies/table.py

clean:
	rm -rf .venv demo site dist build src/*.egg-info
