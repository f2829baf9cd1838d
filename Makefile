# `make demo` and `make test` need Python >= 3.11, git and make; both share the set-up in .venv.
# `make check` takes a minute on two cores; `make test` is everything.
PYTHON ?= python3
BIN := .venv/bin
SPECS := specs/*.yaml
PAPER := specs/arlm.yaml specs/mlm.yaml specs/mdlm.yaml specs/ilm.yaml

.PHONY: setup demo check test bytecode lint regen docs bench clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	@touch $@

demo: setup
	$(BIN)/python -m benchmarks.demo

check: lint bytecode
	$(BIN)/python -m pytest -n 2 -q -m "not slow"

test: setup bytecode
	$(BIN)/python -m pytest -n 2 -q

bytecode: setup  # commands start faster, also where PYTHONDONTWRITEBYTECODE is set
	@$(BIN)/python -m compileall -q xlm_spec

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

regen: setup
	$(BIN)/python hatch_build.py
	$(BIN)/xlm-spec build $(SPECS)
	$(BIN)/xlm-spec schema -o xlm_spec/spec.schema.json
	$(BIN)/python docs/regen.py
	$(BIN)/xlm-spec verify generated/* --record --quiet

docs: setup
	$(BIN)/python -m sphinx -q -n -W --keep-going docs docs/_build
	@echo docs/_build/index.html

bench: setup  # hours; each prints figure, spread and machine
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/xlm-spec compare $(PAPER) --task star_easy --minutes 3.5 --seeds 3 --out runs/star_easy
	$(BIN)/xlm-spec compare $(PAPER) --task star_medium --minutes 6 --seeds 3 --out runs/star_medium
	$(BIN)/python -m benchmarks.samplers --into docs/_results
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.vs_xlm
	$(BIN)/python -m benchmarks.vs_xlm.mistakes
	$(BIN)/python -m pytest --full -n 2 -q tests/middle tests/frontend/test_fuzz.py tests/laws tests/refresh tests/runtime/test_endings.py
	$(BIN)/python -m benchmarks.fuzz --specs 2000
	$(BIN)/python -m benchmarks.mutants --into docs/_results/mutants.md
	$(BIN)/python -m benchmarks.wrong_methods --into docs/_results/wrong_methods.md
	$(BIN)/python -m benchmarks.differential --into docs/_results/differential.md
	$(BIN)/python -m benchmarks.equivalences --into docs/_results/equivalences.md
	$(BIN)/python -m benchmarks.families --into docs/_results/families.md

clean:
	rm -rf .venv runs dist docs/_build
