PYTHON ?= python3
DEMO_DIR ?= demo
DEMO_ARGS ?=
TEST_ARGS ?=
WEIGHTS_DIR ?= new_weights
STATE ?= $(WEIGHTS_DIR)_state
ARGS ?=
RESTORER_ARGS ?= --steps 30000 --batch 3 --size-px 208 --lr 3e-4
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install demo test lint weights clean

install: $(INSTALLED)

# The stamp holds until a list of packages changes, so that every other target starts at once.
$(INSTALLED): pyproject.toml constraints.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -r requirements-dev.txt -e .
	touch $@

demo: $(INSTALLED)
	$(BIN)/python -m pstyle demo -o $(DEMO_DIR) $(DEMO_ARGS)

# A worker a core; the tests of a file stay with one worker, which makes what they share once.
test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile $(TEST_ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Every file of weights/, from IMAGES, a folder as benchmarks/split.py wants it, and VGG, the files of the teachers,
# vgg19_relu3_1.safetensors first; then the model card's figures on what is held out. Run again after a kill, it
# resumes. ARGS go to both commands: `ARGS="--steps 20"` is a short trial.
weights: $(WEIGHTS_DIR)/numbers.json $(WEIGHTS_DIR)/restorer.safetensors
	$(BIN)/python benchmarks/loss_network.py --images $(IMAGES) --vgg $(dir $(firstword $(VGG))) \
		--other $(WEIGHTS_DIR)/vgg_loss.safetensors
	$(BIN)/python benchmarks/quality.py --images $(IMAGES) --vgg $(dir $(firstword $(VGG))) \
		--generator $(WEIGHTS_DIR)/generator.safetensors --slim $(WEIGHTS_DIR)/vgg_slim.safetensors \
		--loss-vgg $(WEIGHTS_DIR)/vgg_loss.safetensors
	$(BIN)/python benchmarks/restoration.py repair --images $(IMAGES) --restorer $(WEIGHTS_DIR)/restorer.safetensors

$(WEIGHTS_DIR)/numbers.json: | $(INSTALLED) $(STATE)/lists
	$(BIN)/python -m pstyle train-base --teacher $(VGG) --photos $(STATE)/lists/training_photos.txt \
		--paintings $(STATE)/lists/training_paintings.txt -o $(WEIGHTS_DIR) --state $(STATE)/base $(ARGS)

$(WEIGHTS_DIR)/restorer.safetensors: | $(WEIGHTS_DIR)/numbers.json $(STATE)/lists
	$(BIN)/python -m pstyle train-restorer $(STATE)/lists/training_photos.txt $(STATE)/lists/training_paintings.txt \
		$(STATE)/lists/textures.txt --new --vgg $(WEIGHTS_DIR)/vgg_loss.safetensors -o $@ \
		--state $(STATE)/restorer $(RESTORER_ARGS) $(ARGS)
	cp $(STATE)/restorer/numbers.json $(WEIGHTS_DIR)/restorer_numbers.json

# Painters and photographs that are held out train nothing.
$(STATE)/lists: | $(INSTALLED)
	mkdir -p $@.part
	for list in training_photos training_paintings textures; do \
		$(BIN)/python benchmarks/split.py $(IMAGES) $$list > $@.part/$$list.txt || exit 1; done
	mv $@.part $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
