# The only front door. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

SWIFT ?= swift
# Seconds of `make fuzz`, for each fuzz target.
FUZZ_SECONDS ?= 600
# Minutes of `make soak`.
MINUTES ?= 30
# Suite of `make e2e`: spine is Tests/EndToEndTests' SpineTests, line-rate is LineRateTests, and so on.
SUITE ?=
# Further arguments of `make run` for the daemon, of `make test` for Swift Testing.
ARGS ?=
# Tests that run at the same time; end-to-end tests start a daemon and a PostgreSQL each.
TEST_WIDTH ?= 4

sources := $(wildcard Package.swift Sources Tests Fuzz Benchmarks)
shell_scripts := $(wildcard scripts/*) .ci/run

.PHONY: help setup run test build lint fmt bench counts fuzz e2e soak clean

help: ## lists the targets
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name meaning; do printf '  make %-7s %s\n' "$$name" "$$meaning"; done

setup:
	@scripts/setup

run: setup ## builds for release and runs the daemon with a private PostgreSQL under ./var and a demo tenant
	$(SWIFT) build -c release --product lastmiled
	$(SWIFT) build -c release --product lastmile
	@LASTMILE_STATE_DIR="$${LASTMILE_STATE_DIR:-$(CURDIR)/var}" exec .build/release/lastmiled run --config etc/lastmile.yaml --demo $(ARGS)

test: setup ## runs every test, unit and end to end
	$(SWIFT) build --build-tests
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=$(TEST_WIDTH) SWIFT='$(SWIFT)' scripts/test $(ARGS)
	@echo 'make test: passed'

e2e: setup ## runs one end-to-end suite in its large version: make e2e SUITE=spine
	@scripts/end-to-end-suite '$(SUITE)' >/dev/null
	$(SWIFT) build --build-tests
	LASTMILE_E2E_LARGE=1 SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=$(TEST_WIDTH) SWIFT='$(SWIFT)' TEST_SILENCE=3600 \
	    scripts/test --filter "$$(scripts/end-to-end-suite '$(SUITE)')"
	@echo 'make e2e SUITE=$(SUITE): passed'

build: setup ## builds everything, tests included, for debugging
	$(SWIFT) build --build-tests

lint: ## checks formatting, the syntax of scripts and what the fuzz targets are made of; changes nothing
	$(SWIFT) format lint --strict --parallel --recursive $(sources)
	@for script in $(shell_scripts); do bash -n "$$script"; done
	@source scripts/decoder.bash; check_decoder .build/bench
	@echo 'make lint: clean'

fmt: ## formats the Swift sources in place
	$(SWIFT) format --in-place --parallel --recursive $(sources)

bench: setup ## measures Lastmile beside FreeRADIUS and a C echo, and prints a table
	@SWIFT='$(SWIFT)' scripts/bench

counts: setup ## fails when a request takes more instructions or allocations than Benchmarks/Counts/thresholds.txt allows
	@scripts/counts
	@echo 'make counts: passed'

fuzz: setup ## feeds hostile octets to decoder, EAP, TLS engine, tunnels, stream framer, DTLS and proxy for FUZZ_SECONDS (600) each
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' scripts/fuzz

soak: setup ## runs a release daemon under load and changes for MINUTES (30): memory flat, nothing lost, nothing wrong
	$(SWIFT) build -c release --product lastmiled
	$(SWIFT) build -c release --product lastmile
	@MINUTES='$(MINUTES)' scripts/soak

clean: ## removes what was built; ./var, the demo's data, stays
	rm -rf .build
