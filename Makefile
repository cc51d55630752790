# make demo: learn a translation in a few minutes, watch it, look at the result
# make test: run the tests
# Both set everything up in .venv first; they need Python >= 3.10 and nothing else.

PYTHON ?= python3
BIN := .venv/bin
# visdom is built from source and needs setuptools < 81: new pip reads one variable, old pip the other
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(BIN)/python -m pip --disable-pip-version-check
DEMO := creatures
NETWORKS := --netG resnet_4blocks --ngf 16 --netD n_layers --n_layers_D 2 --ndf 32

.PHONY: install demo test lint

install: .venv/installed

.venv/installed: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12")'
	@echo "setting up .venv (PyTorch is large: a few minutes the first time)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --quiet --requirement requirements.txt
	@touch $@

demo: install
	@$(BIN)/python -m datasets.make_demo_dataset datasets/$(DEMO) --kind unpaired --size 64 --train 330 --test 20
	$(BIN)/python train.py --model cycle_gan --dataroot datasets/$(DEMO) --name $(DEMO) $(NETWORKS) \
	    --load_size 70 --crop_size 64 --lr 0.001 --n_epochs 4 --n_epochs_decay 6 --print_freq 100 --display_freq 100 --overwrite
	$(BIN)/python test.py --name $(DEMO)
	@$(BIN)/python -m datasets.demo_report --name $(DEMO)

test: install
	@$(BIN)/python -m pytest

lint: install .venv/linters
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/linters: requirements-dev.txt .venv/installed
	@$(PIP) install --quiet --requirement requirements-dev.txt
	@touch $@
