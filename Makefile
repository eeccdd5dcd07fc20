# The commands of this repository. `make` lists them.

BIN := .venv/bin
UV := .venv/uv/bin/uv
UV_VERSION := 0.13.9# writes the lock files; another version may order them differently

.DEFAULT_GOAL := help
.PHONY: help up down destroy status plan review apply backup images sbom ci-plan ci-apply ci-drift ci-comment ci-issue test test-long faults lint fmt bench docs screenshots lock snapshot clean venv-ops venv-dev venv-scanners venv-host

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: venv-ops ## Start Keycloak and the service, apply the realm, prove that it works
	@$(BIN)/secure-mcp up

down: venv-ops ## Stop what `up` started; data stays
	@$(BIN)/secure-mcp down

destroy: venv-ops ## Stop everything and delete the environment's state (asks)
	@$(BIN)/secure-mcp destroy

status: venv-ops ## Show the parts of the stack
	@$(BIN)/secure-mcp status

plan: venv-ops ## Plan the containers of ENV (dev, staging, prod) and save the plan
	@SECURE_MCP_ENVIRONMENT=$(or $(ENV),dev) $(BIN)/secure-mcp plan

review: venv-ops ## Say what the saved plan of ENV, or PLAN=plan.json, means for security
	@SECURE_MCP_ENVIRONMENT=$(or $(ENV),dev) $(BIN)/secure-mcp review $(PLAN)

apply: venv-ops ## Apply exactly the saved plan of ENV, then the realm
	@SECURE_MCP_ENVIRONMENT=$(or $(ENV),dev) $(BIN)/secure-mcp apply

backup: venv-ops ## Write an encrypted backup of ENV
	@SECURE_MCP_ENVIRONMENT=$(or $(ENV),dev) $(BIN)/secure-mcp backup

images: venv-ops ## Build the images of our own
	@$(BIN)/secure-mcp images

sbom: venv-scanners ## Write dist/sbom.cdx.json: what the service's image holds (CycloneDX)
	@mkdir -p dist && .venv/scanners/bin/cyclonedx-py requirements requirements/service.txt \
	  --output-format JSON --output-reproducible -o dist/sbom.cdx.json && echo dist/sbom.cdx.json

ci-plan: venv-ops ## Plan ROOT (keycloak, docker) of ENV, review it, leave the encrypted plan in dist/ci
	@$(BIN)/secure-mcp ci plan --environment $(or $(ENV),dev) --root $(or $(ROOT),keycloak)

ci-apply: venv-ops ## Apply exactly the plan that ci-plan left
	@$(BIN)/secure-mcp ci apply --environment $(or $(ENV),dev) --root $(or $(ROOT),keycloak)

ci-drift: venv-ops ## Compare what runs in ENV with what is declared
	@$(BIN)/secure-mcp ci drift --environment $(or $(ENV),dev)

ci-comment: venv-ops ## Put the reviews of dist/ci into one comment of the change
	@$(BIN)/secure-mcp ci comment

ci-issue: venv-ops ## Keep one issue about drift of ENV
	@$(BIN)/secure-mcp ci issue --environment $(or $(ENV),dev)

test: venv-dev ## Run every tier of tests that this machine can carry
	@$(BIN)/python -m pytest

test-long: venv-dev ## Run the long forms: every substitution, 200,000 fuzzed tokens, 20 rotations, mutation testing
	@SECURE_MCP_REQUIRE=long,swarm SECURE_MCP_LONG=1 $(BIN)/python -m pytest tests/long tests/swarm tests/realm/test_key_rotation.py \
	  tests/terraform/keycloak/test_rotation.py tests/terraform/keycloak/test_review.py tests/terraform/docker/test_review.py

faults: venv-dev ## Break each part under load, and write the figures into docs/faults.md; SECURE_MCP_LONG=1 takes an hour
	@rm -f dist/faults.json; SECURE_MCP_REQUIRE=faults $(BIN)/python -m pytest tests/faults $$($(BIN)/python -m tests.faults.elsewhere); code=$$?; \
	$(BIN)/python -m tests.faults.report && $(BIN)/python scripts/generate_docs.py && exit $$code

lint: venv-dev ## Run every linter that is here; name the ones that are not
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/lint

fmt: venv-dev ## Format Python and Terraform
	@$(BIN)/ruff check --select I --fix --quiet . && $(BIN)/ruff format --quiet .
	@if command -v terraform >/dev/null; then terraform fmt -recursive terraform; \
	else echo "terraform is not here: its files are left as they are"; fi

bench: venv-dev ## Measure what a whole call costs, a token of Keycloak, a validation, and observing a call
	@$(BIN)/python -m tests.benchmarks.calls && $(BIN)/python -m tests.benchmarks.issuance && $(BIN)/python -m tests.benchmarks.many_tokens && $(BIN)/python -m tests.benchmarks.start && $(BIN)/python -m tests.benchmarks && $(BIN)/python -m tests.benchmarks.telemetry --write

screenshots: venv-dev ## Take the pictures of docs/images anew, by walking through the pages in Chromium
	@SECURE_MCP_SCREENSHOTS=1 SECURE_MCP_REQUIRE=browser $(BIN)/python -m pytest tests/browser/test_console.py tests/browser/test_api_docs.py

docs: venv-dev ## Write the generated tables of docs/
	@$(BIN)/python scripts/generate_docs.py && $(BIN)/python scripts/role_readme.py

lock: venv-ops ## Lock the requirements anew, with hashes
	@$(BIN)/python -m pip install --quiet --upgrade --target .venv/uv uv==$(UV_VERSION)
	@cd requirements && for name in service ops dev java scanners host; do ../$(UV) pip compile --quiet --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $$name.in -o $$name.txt || exit; done

snapshot: venv-ops ## Write the applied realm to terraform/keycloak/realm.lock.json
	@$(BIN)/secure-mcp snapshot

clean: ## Delete the virtual environment and the caches of tools
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

venv-ops venv-dev: venv-%:
	@scripts/venv $*

venv-scanners venv-host: venv-%:
	@[ -d .venv/$* ] || python3 -m venv .venv/$*
	@.venv/$*/bin/pip install --quiet --no-deps --require-hashes -r requirements/$*.txt
