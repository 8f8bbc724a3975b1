# charlm: what to type. Everything happens in .venv, which is made where it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
DEMO := build/demo

.DEFAULT_GOAL := help
.PHONY: help demo test lint types mutants soak parity bench docs experiments quality golden build clean

help: ## Show what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The stamps hold what pyproject.toml was when it was installed, so that a new dependency is not forgotten.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/benched: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

$(VENV)/paired: $(VENV)/tested
	$(BIN)/python -m pip install --quiet --editable '.[parity]'
	@touch $@

demo: $(VENV)/installed ## Invent dinosaurs, then learn pear from pair and was from were (two minutes)
	@mkdir -p $(DEMO)
	$(BIN)/charlm train corpora/dinosaurs.txt --model $(DEMO)/dinosaurs --overwrite
	@echo; echo "Names that are not in the list:"
	@$(BIN)/charlm sample --model $(DEMO)/dinosaurs -n 40 --seed 1 | grep -vxFf corpora/dinosaurs.txt | head -n 20
	@echo; echo "A name, and the same letters shuffled:"
	$(BIN)/charlm score --model $(DEMO)/dinosaurs Tyrannosaurus Tnaruosysarnu Tsuryosanaunr
	@echo; echo "Words: sentences of a grammar, with some kinds held out:"
	$(BIN)/python corpora/agreement.py --sentences 40000 --seed 1 > $(DEMO)/agreement.txt
	$(BIN)/charlm train $(DEMO)/agreement.txt --level word --independent-lines --dropout 0.1 --epochs 6 \
		--model $(DEMO)/agreement --overwrite
	$(BIN)/charlm next --model $(DEMO)/agreement "the apple and" -n 3
	@echo; echo "Sentences that it has never seen, right and wrong:"
	$(BIN)/python corpora/judge.py $(DEMO)/agreement

test: $(VENV)/tested lint types ## Lint, check types, run the tests (under ten minutes)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/tested ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/tested ## Check types
	$(BIN)/mypy

mutants: $(VENV)/tested ## Plant errors one at a time and see each one caught
	OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/mutants.py

soak: $(VENV)/tested ## Kill, interrupt and refuse training at hundreds of moments, and read 2,000 hostile files (six minutes)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/soak.py

parity: $(VENV)/paired ## Compute the same with PyTorch and ONNX Runtime themselves
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest tests/parity

bench: $(VENV)/benched ## Measure against PyTorch, with nothing else running; writes docs/performance.md (half an hour)
	$(BIN)/python tests/bench

experiments: $(VENV)/tested ## Train RNN, GRU and LSTM of equal size, and measure vanishing gradients (16 minutes)
	$(BIN)/python docs/make_vanishing_gradients.py

quality: $(VENV)/tested ## Train on TEXT for 12 s to 20 min by the defaults alone; writes docs/quality.md (an hour, nothing else running)
	$(BIN)/python docs/make_quality.py $(TEXT)

golden: $(VENV)/paired ## Make the golden vectors again, with PyTorch and ONNX Runtime
	$(BIN)/python tests/make_golden.py
	$(BIN)/python tests/make_golden_labels.py
	$(BIN)/python tests/make_golden_onnx.py

docs: $(VENV)/installed ## Write docs/reference.md from the commands, and docs/proof.md from the table of proofs
	$(BIN)/python docs/make_reference.py docs/reference.md
	$(BIN)/python docs/make_proof.py docs/proof.md

build: $(VENV)/tested ## Build the wheel and the source archive into dist/
	$(BIN)/python -m build

clean: ## Remove everything that was made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
