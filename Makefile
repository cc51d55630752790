# make demo      learn a translation in a few minutes, watch it, look at the result
# make test      run the tests
# make coverage  the same, and which lines no test runs
# make lint      style and types
# make docs      execute every command and example of the documents, check their links
# make bench     measure speed and memory in a few minutes
# All set everything up in .venv first; they need Python >= 3.10 and nothing else.

PYTHON ?= python3
BIN := .venv/bin
# visdom is built from source and needs setuptools < 81: new pip reads one variable, old pip the other
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
DEMO := creatures
NETWORKS := --netG resnet_4blocks --ngf 16 --netD n_layers --n_layers_D 2 --ndf 32

.PHONY: install demo test coverage lint docs bench

install: .venv/installed

.venv/installed: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12")'
	@echo "setting up .venv (PyTorch is large: a few minutes the first time)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --quiet --requirement requirements.txt
	@touch $@

.venv/development: requirements-dev.txt .venv/installed
	@$(PIP) install --quiet --requirement requirements-dev.txt
	@touch $@

demo: install
	@$(BIN)/python -m datasets.make_demo_dataset datasets/$(DEMO) --kind unpaired --size 64 --train 330 --test 20
	$(BIN)/python train.py --model cycle_gan --dataroot datasets/$(DEMO) --name $(DEMO) $(NETWORKS) \
	    --load_size 70 --crop_size 64 --lr 0.001 --n_epochs 4 --n_epochs_decay 6 --print_freq 100 --display_freq 100 --overwrite
	$(BIN)/python test.py --name $(DEMO)
	@$(BIN)/python -m datasets.demo_report --name $(DEMO)

test: .venv/development
	@$(PYTEST)

coverage: .venv/development
	@$(PYTEST) --cov --cov-report term-missing:skip-covered

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/development
	@$(BIN)/python -m pytest tests/docs

bench: install
	@$(BIN)/python -m benchmarks quick
