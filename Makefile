# The project's commands. `make` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_VENV := .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
CLUSTER := .venv-cluster
CLUSTER_READY := $(CLUSTER)/.ready
AUDIT := .venv-audit
AUDIT_READY := $(AUDIT)/.ready
IMAGES := serve worker ui
# SKIP="market web" leaves folders with these names out of train, crossvalidate, compare and
# notebook.
SKIPPED = $(foreach name,$(SKIP),--skip "$(name)")
# One more than there are cores, since many tests wait for other processes. Each takes up to 1.5 GB.
TEST_PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
# The tests write many small files: into memory, if it has 8 GB free.
MEMORY_DISK := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 8000000 {print "/dev/shm"}')
test test-fast: export TMPDIR ?= $(or $(MEMORY_DISK),/tmp)
export TF_CPP_MIN_LOG_LEVEL ?= 3
# Without bytecode files, every test process and every service that a test starts would compile the
# project again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run env test test-fast test-stack test-images test-containers test-ray check format data train detector detection crossvalidate compare \
	notebook chaos soak gate hostile bench bench-pages backup restore openapi api-models lock skew sbom scan version release-check clean clean-state

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(READY) ## Start API (8000), app (8501) and worker; Ctrl-C stops them
	@exec $(BIN)/python scripts/run.py

env: ## Write .env for docker compose, with random passwords
	@$(PYTHON) -m scripts.env

test: $(READY) check ## Check the code and run the tests (half an hour on two slow cores)
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test-fast: $(READY) ## Run the fast tests: no processes, TensorFlow, browser or PostgreSQL (about four minutes)
	$(BIN)/python -m pytest -m "not slow and not stack and not images and not containers" --numprocesses logical --maxprocesses 4 --dist worksteal

test-stack: $(READY) ## Test the full stack as processes, killing parts of it (needs nginx, prometheus with alertmanager, postgresql)
	$(BIN)/python -m pytest -s -m stack tests/stack

test-images: $(READY) ## Install what each container image contains, and test it (3 GB; a few minutes)
	$(BIN)/python -m pytest -s -m images tests/deploy/test_images.py

test-containers: $(READY) ## Build the images and test both profiles of docker-compose.yml, killing parts (needs podman or docker)
	$(BIN)/python -m pytest -s -m containers tests/containers

check: $(READY) ## Check style, formatting, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

data: $(READY) ## Import photographs from FROM=<folder>, or download the public data set
	@$(BIN)/python -m api.commands.dataset $(if $(FROM),"$(FROM)")

train: $(READY) ## Train on FROM=<folder> (default data/photographs) and write models/default
	@$(BIN)/python -m api.commands.training train "$(or $(FROM),data/photographs)" $(SKIPPED) $(if $(OUT),--out "$(OUT)")

detector: $(READY) ## Train a fruit detector on FROM=<folder> and add it to models/default
	@$(BIN)/python -m api.commands.training detector "$(or $(FROM),data/photographs)" $(SKIPPED)

detection: $(READY) ## Measure the detector of models/default on held-out photos of FROM=<folder>
	@$(BIN)/python -m api.commands.training detection "$(or $(FROM),data/photographs)" $(SKIPPED)

crossvalidate: $(READY) ## Cross-validate the recipe on FROM=<folder>: by source, in five folds, on the supplied split (two hours)
	@$(BIN)/python -m api.commands.training crossvalidate "$(or $(FROM),data/photographs)" $(SKIPPED)

compare: $(READY) ## Compare all architectures and input sizes on FROM=<folder> (hours)
	@$(BIN)/python -m api.commands.training compare "$(or $(FROM),data/photographs)" $(SKIPPED) $(ARGS)

notebook: $(READY) ## Run the notebook on RIPELINE_DATASET (default data/photographs), in place
	@$(BIN)/python scripts/notebook.py

chaos: $(READY) ## Kill the API and the worker 50 times under load, on each database (half an hour)
	RIPELINE_CHAOS_INSTANTS=50 $(BIN)/python -m pytest -s tests/chaos

soak: $(READY) ## Run uploads, corrections, predictions and one retraining per minute for ten minutes (ARGS=<seconds>)
	@$(BIN)/python -m tests.chaos.soak $(ARGS)

test-ray: $(READY) $(CLUSTER_READY) ## Test bulk scoring on a Ray cluster of two nodes, in .venv-cluster
	RIPELINE_CLUSTER_PYTHON=$(CLUSTER)/bin/python $(BIN)/python -m pytest tests/commands/bulk/test_on_ray.py

bench-pages: $(READY) ## Time the app's pages with 10,000 images, 20,000 predictions and 60 inspections, and the grading of 500 photos
	@$(BIN)/python -m benchmarks.pages

gate: $(READY) ## Check that the promotion gate refuses worse graders and passes good ones (minutes)
	@$(BIN)/python -m tests.hostile.gate_attacks

hostile: $(READY) ## Send 10,000 hostile requests to a running API, and run Schemathesis (minutes)
	RIPELINE_HOSTILE_BODIES=10000 RIPELINE_CONTRACT_EXAMPLES=60 $(BIN)/python -m pytest -s tests/hostile

bench: $(READY) $(BENCH_READY) ## Benchmark against other servers and write LOAD_TEST_RESULTS.md (half an hour; ARGS=--quick)
	@$(BIN)/python -m benchmarks $(ARGS)

backup: $(READY) ## Back up catalog, photographs and models to TO=<new folder>
	@$(BIN)/python -m api.commands.backup save "$(TO)"

restore: $(READY) ## Restore a backup from FROM=<folder>; the catalog must not exist yet
	@$(BIN)/python -m api.commands.backup restore "$(FROM)"

openapi: $(READY) ## Write docs/openapi.json and ui/api_models.py after a change of the API
	@$(BIN)/python -m scripts.openapi
	@$(BIN)/python -m scripts.api_models

api-models: $(READY) ## Generate ui/api_models.py from docs/openapi.json
	@$(BIN)/python -m scripts.api_models

lock: ## Resolve the dependencies of pyproject.toml into the lock files (needs uv)
	uv pip compile $(LOCK) $(foreach extra,serve ui train tensorflow bulk notebook dev,--extra $(extra)) -o requirements.txt
	uv pip compile $(LOCK) --extra serve -c requirements.txt -o requirements/serve.txt
	uv pip compile $(LOCK) --extra serve --extra train --extra tensorflow-cpu -c requirements.txt -o requirements/worker.txt
	uv pip compile $(LOCK) --extra ui -c requirements.txt -o requirements/ui.txt
	uv pip compile $(LOCK) --extra serve --extra bulk --extra cluster -c requirements.txt -o requirements/cluster.txt
	uv pip compile $(LOCK) --extra serve --extra otel -c requirements.txt -o requirements/otel.txt
	uv pip compile $(LOCK) --extra serve --extra bench -o requirements/bench.txt
	uv pip compile $(LOCK) --extra audit -c requirements.txt -o requirements/audit.txt

LOCK := pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command "make lock"

skew: $(READY) ## Check the current version for training-serving skew on photos in the catalog (run it every night)
	@$(BIN)/python -m api.commands.skew

sbom: $(AUDIT_READY) ## Write a bill of materials (CycloneDX) for each image to the folder TO (default sbom)
	@mkdir -p "$(or $(TO),sbom)"
	@for name in $(IMAGES); do \
		PYTHONWARNINGS=ignore $(AUDIT)/bin/cyclonedx-py requirements requirements/$$name.txt --pyproject pyproject.toml \
			--output-reproducible --output-file "$(or $(TO),sbom)/$$name.cdx.json" || exit 1; \
	done

scan: $(AUDIT_READY) ## Check the packages of each image for known vulnerabilities (asks PyPI)
	@for name in $(IMAGES); do \
		$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements/$$name.txt || exit 1; \
	done

version: $(READY) ## Set the version to TO=0.3.0 in all files that contain it
	@$(BIN)/python -m scripts.release $(TO)

release-check: $(READY) ## Check before a tag: version, changelog, uncommitted changes, all tests (40 minutes)
	@$(BIN)/python -m scripts.release
	$(MAKE) openapi sbom scan test test-stack test-containers
	git diff --exit-code --stat

clean: ## Remove the environment and all caches, but not photographs, models and state
	rm -rf $(VENV) $(BENCH_VENV) $(CLUSTER) $(AUDIT) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache test-artefacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-state: $(READY) ## Delete uploads, corrections, predictions and versions, after asking
	@$(BIN)/python -m scripts.clean_state

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "Ripeline needs Python 3.11, 3.12 or 3.13 (TensorFlow has builds for these);"; \
		echo "$$($(PYTHON) --version) was found. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
		exit 1; }
	@echo "Making the environment in $(VENV) (once; a few minutes)."
	@$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --progress-bar on \
		--require-hashes -r requirements.txt
	@touch $@

# LitServe and BentoML need other versions of the same packages.
$(BENCH_READY): requirements/bench.txt
	@$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --progress-bar on \
		--require-hashes -r requirements/bench.txt
	@touch $@

$(CLUSTER_READY): requirements/cluster.txt
	@echo "Making the environment of a Ray node in $(CLUSTER) (once; a few minutes)."
	@$(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/python -m pip install --disable-pip-version-check --quiet --progress-bar on \
		--require-hashes -r requirements/cluster.txt
	@touch $@

$(AUDIT_READY): requirements/audit.txt
	@$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --disable-pip-version-check --quiet --progress-bar on \
		--require-hashes -r requirements/audit.txt
	@touch $@
