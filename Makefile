# make            library, static library and command, in build/
# make demo       train on the bundled sample, classify bundled PNG pairs
# make test       every test
# make fashion    the example that learns "same class?" on Fashion-MNIST; FASHION_FLAGS=--help
# make install    PREFIX=/usr/local DESTDIR=
# make report   the report's table and figures, in docs/results
# make bench      measure; make bench-peers also against PyTorch and ONNX Runtime
# On a fresh machine with a Swift toolchain the targets install what else they need (see scripts/prepare.sh).

PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build
SWIFT ?= swift
CC ?= cc
# Make's own default, g++, is not what prepare.sh looks for.
ifeq ($(origin CXX),default)
CXX := c++
endif

# The default rule must not meet somebody's setting for the other build.
unexport DIPTYCH_EMBEDDED

.PHONY: all library command demo test install uninstall bench bench-accuracy bench-peers bench-programs clean prepare model sample

all: library command

prepare:
	@scripts/prepare.sh build

# Swift's own build systems know what is out of date; these are quick when nothing is.
library: prepare
	DIPTYCH_EMBEDDED=1 $(SWIFT) build -c release --scratch-path .build-embedded --product diptych
	@scripts/link_library.sh .build-embedded/release $(BUILD)

# The linker finds libstdc++.a, if there is one, in a folder of its own without a shared one: the command starts a tenth sooner so.
STATIC := .build/static

command: prepare
	@mkdir -p $(STATIC)
	@archive="$$($(CXX) -print-file-name=libstdc++.a)"; rm -f $(STATIC)/libstdc++.a; [ ! -e "$$archive" ] || ln -s "$$archive" $(STATIC)
	$(SWIFT) build -c release --product diptych --static-swift-stdlib -Xlinker "-L$(CURDIR)/$(STATIC)"
	@mkdir -p $(BUILD)
	@strip -o $(BUILD)/diptych "$$($(SWIFT) build -c release --static-swift-stdlib --show-bin-path)/diptych"

# The main job: train by the report's recipe on the bundled sample, then classify pictures with the built-in model.
demo: all
	$(BUILD)/diptych train --recipe report --out $(BUILD)/demo.safetensors
	$(BUILD)/diptych classify --show --pairs-file Examples/png/pairs.txt

# A virtual environment with what the tests need.
VENV := .venv
PYTHON := $(VENV)/bin/python

$(VENV)/ready: Tests/requirements.txt bindings/python/requirements-test.txt
	@scripts/prepare.sh build test
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt -r bindings/python/requirements-test.txt
	@touch $@

# See Examples/fashion/README.md.
FASHION_FLAGS ?=

fashion: library $(VENV)/ready
	@scripts/prepare.sh fashion
	DIPTYCH_LIBRARY=$(CURDIR)/$(BUILD)/libdiptych.so PYTHONPATH=bindings/python/src $(PYTHON) Examples/fashion/same_class.py $(FASHION_FLAGS)

.PHONY: fashion test-swift test-abi test-python test-command

test: test-swift test-abi test-python test-command
	@echo "all tests passed"

# In release, because training in a debug build is slow; the checks for overflow and bounds stay.
test-swift: prepare
	$(SWIFT) test -c release -Xswiftc -enable-testing --scratch-path .build-test --disable-xctest

test-abi: all $(VENV)/ready
	Tests/ABI/run.sh

test-python: library $(VENV)/ready
	DIPTYCH_LIBRARY=$(CURDIR)/$(BUILD)/libdiptych.so $(PYTHON) -m pytest -q bindings/python/tests

test-command: all $(VENV)/ready
	$(PYTHON) -m pytest -q Tests/command

# The assets inside the library, made again from MNIST's four files: MNIST=DIR.
model: command
	scripts/make_default_model.sh "$(MNIST)"

sample:
	python3 scripts/make_sample.py "$(MNIST)"

# The report's table and figures, written to docs/results: make report [ROUNDS=10] [MNIST=DIR]
ROUNDS ?= 10
REPORT_FLAGS ?=
REPORT_VENV := .venv-report

$(REPORT_VENV)/ready: scripts/requirements.txt
	@scripts/prepare.sh python
	python3 -m venv $(REPORT_VENV)
	$(REPORT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt
	@touch $@

.PHONY: report
report: command $(REPORT_VENV)/ready
	REPORT_FLAGS='$(REPORT_FLAGS)' scripts/run_report.sh $(REPORT_VENV)/bin/python $(ROUNDS) "$(MNIST)"

# Measurements; see Benchmarks/README.md. bench-peers takes about 3 GB of disk for PyTorch and ONNX Runtime.
BENCH_FLAGS ?= --scaling

bench-programs: all
	$(SWIFT) build -c release --product diptych-bench --static-swift-stdlib
	@cp "$$($(SWIFT) build -c release --static-swift-stdlib --show-bin-path)/diptych-bench" $(BUILD)/diptych-bench
	$(CC) -std=c99 -O2 -Wall -Wextra -Iinclude -pthread -o $(BUILD)/end_to_end Benchmarks/end_to_end.c Benchmarks/line.c -L$(BUILD) -ldiptych -Wl,-rpath,'$$ORIGIN'

bench: bench-programs
	python3 Benchmarks/bench.py $(BENCH_FLAGS)

# An environment with what Diptych is measured against: about 3 GB.
.venv-bench/ready:
	python3 -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check numpy scipy torch onnx onnxruntime
	@touch $@

bench-peers: bench-programs .venv-bench/ready
	python3 Benchmarks/bench.py --peers .venv-bench/bin/python $(BENCH_FLAGS)

# Test errors against PyTorch's on the same pairs: MNIST=DIR, ACCURACY_FLAGS for accuracy.py's options.
bench-accuracy: library .venv-bench/ready
	PYTHONPATH=bindings/python/src DIPTYCH_LIBRARY=$(CURDIR)/$(BUILD)/libdiptych.so .venv-bench/bin/python Benchmarks/accuracy.py "$(MNIST)" $(ACCURACY_FLAGS)

# What stands in build/, so that "sudo make install" compiles nothing; built first where nothing stands there.
install: $(BUILD)/libdiptych.so.0
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh install $(BUILD)

uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh uninstall $(BUILD)

$(BUILD)/libdiptych.so.0:
	$(MAKE) all

clean:
	rm -rf $(BUILD) .build .build-embedded .build-test .venv .venv-bench .venv-report
