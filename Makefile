# make            library, static library and command, in build/
# make demo       train on the bundled sample, classify bundled PNG pairs
# make test       every test
# make install    PREFIX=/usr/local DESTDIR=
# make bench      measure; make bench-peers also against PyTorch and ONNX Runtime
# On a fresh machine with a Swift toolchain the targets install what else they need (see scripts/prepare.sh).

PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build
SWIFT ?= swift
CC ?= cc
CXX ?= c++

# The default rule must not meet somebody's setting for the other build.
unexport DIPTYCH_EMBEDDED

.PHONY: all library command demo test install uninstall bench bench-peers clean prepare model sample

all: library command

prepare:
	@scripts/prepare.sh build

# Swift's own build systems know what is out of date; these are quick when nothing is.
library: prepare
	DIPTYCH_EMBEDDED=1 $(SWIFT) build -c release --scratch-path .build-embedded --product diptych
	@scripts/link_library.sh .build-embedded/release $(BUILD)

command: prepare
	$(SWIFT) build -c release --product diptych --static-swift-stdlib
	@mkdir -p $(BUILD)
	@cp "$$($(SWIFT) build -c release --static-swift-stdlib --show-bin-path)/diptych" $(BUILD)/diptych

# A virtual environment with what the tests need.
VENV := .venv
PYTHON := $(VENV)/bin/python

$(VENV)/ready: Tests/requirements.txt bindings/python/requirements-test.txt
	@scripts/prepare.sh build test
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt -r bindings/python/requirements-test.txt
	@touch $@

.PHONY: test-swift test-abi test-python test-command

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

# What stands in build/, so that "sudo make install" compiles nothing; built first where nothing stands there.
install: $(BUILD)/libdiptych.so.0
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh install $(BUILD)

uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh uninstall $(BUILD)

$(BUILD)/libdiptych.so.0:
	$(MAKE) all

clean:
	rm -rf $(BUILD) .build .build-embedded .venv
