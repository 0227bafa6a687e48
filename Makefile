# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# Everything that is built, downloaded or written goes to build/. tools/in-venv makes the
# virtual environments there; tools/requirements/ says what is in them.

# The ansible-core lines that are tested, one requirements file each.
LINES := $(patsubst tools/requirements/%.txt,%,$(wildcard tools/requirements/[0-9]*.txt))
NEWEST := $(lastword $(LINES))
# What a line between these two could say, they say: it runs the fleet alone.
ENDS := $(sort $(firstword $(LINES)) $(NEWEST))

# The Molecule scenarios of 'make test'.
SCENARIOS ?= kernel libvirt default stall

# What may run side by side does, each part's output in one piece, and one part's failure does not hide the others'.
# One more than there are processors, because test hosts are waited for.
JOBS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))
ALL_OF = $(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) --output-sync=target

comma := ,

# $(call as_json,NAME,VALUE): a variable for --extra-vars, of a path that may have blanks and quotes, which neither the shell nor
# Ansible is to read. Nothing where the value is nothing. For the environment of a recipe, not for its text.
as_json = $(if $(2),$(shell VALUE='$(subst ','\'',$(2))' python3 -c 'import json, os; print(json.dumps({"$(1)": os.environ["VALUE"]}))'))

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# $(call quoted,TEXT): a word for the shell.
quoted = '$(subst ','\'',$(1))'
# A playbook on INVENTORY, or else on the sample fleet.
play = @$(if $(INVENTORY),,sample_fleet/copy build/sample_fleet &&) tools/in-venv run ansible-playbook \
	--inventory $(call quoted,$(or $(INVENTORY),sample_fleet/inventory.yml))

# The report is what is read: hosts on which a task had nothing to do are not listed. The next commands, which the report
# names, are make's as well.
harden audit gate restart rollback prove calibrate: export ANSIBLE_DISPLAY_OK_HOSTS ?= false
harden audit gate restart rollback prove calibrate: export ANSIBLE_DISPLAY_SKIPPED_HOSTS ?= false
harden audit gate restart rollback prove calibrate: export IO_HARDENING_CALLED_BY_MAKE = yes

.PHONY: harden
harden: ## harden the sample fleet, or a real one (INVENTORY=hosts.yml ARGS='--check --diff')
	$(play) playbooks/harden_io.yml $(ARGS)

.PHONY: audit
audit: ## report on the sample fleet, or a real one (INVENTORY=hosts.yml), and change nothing
	$(play) playbooks/audit_io.yml $(ARGS)

restart: export MATCH_AS_JSON = $(call as_json,restart_match,$(MATCH))
.PHONY: restart
restart: ## restart guests that wait for it: make restart INVENTORY=hosts.yml MATCH="guest.id == '105'"
	$(play) playbooks/restart_pending.yml $(if $(MATCH),-e "$$MATCH_AS_JSON") $(ARGS)

rollback: export RUN_AS_JSON = $(call as_json,rollback_run,$(RUN))
.PHONY: rollback
rollback: ## put back what the last run changed, or another: make rollback INVENTORY=hosts.yml RUN=20261123T223005Z
	$(play) playbooks/rollback_io.yml $(if $(RUN),-e "$$RUN_AS_JSON") $(ARGS)

prove: export STORAGE_AS_JSON = $(call as_json,prove_io_path,$(STORAGE))
.PHONY: prove
prove: ## show the freeze and its cure, here or elsewhere (INVENTORY=hosts.yml STORAGE=/var/lib/vz ARGS='-l pve1')
ifdef STORAGE
	@tools/in-venv run ansible-playbook $(if $(INVENTORY),--inventory $(INVENTORY),--inventory localhost$(comma) --connection local --extra-vars io_hardening_hosts=all) \
	    --extra-vars "$$STORAGE_AS_JSON" playbooks/prove_io.yml $(ARGS)
else
	@tests/tools/prove $(ARGS)
endif

calibrate: export STORAGE_AS_JSON = $(call as_json,calibrate_io_path,$(STORAGE))
.PHONY: calibrate
calibrate: ## find the limits that fit a disk, here or elsewhere (INVENTORY=hosts.yml STORAGE=/var/lib/vz ARGS='-l pve1')
ifdef STORAGE
	@tools/in-venv run ansible-playbook $(if $(INVENTORY),--inventory $(INVENTORY),--inventory localhost$(comma) --connection local --extra-vars io_hardening_hosts=all) \
	    --extra-vars "$$STORAGE_AS_JSON" playbooks/calibrate_io.yml $(ARGS)
else
	@tests/tools/calibrate $(ARGS)
endif

gate: export ROOT_AS_JSON = $(call as_json,gate_root,$(ROOT))
.PHONY: gate
gate: ## fail on what can freeze a guest: make gate ROOT=configs, or INVENTORY=hosts.yml (ARGS='-e report_dir=reports')
	@$(if $(ROOT)$(INVENTORY),,sample_fleet/copy build/sample_fleet)
	@tools/in-venv run ansible-playbook $(if $(ROOT),-e "$$ROOT_AS_JSON",--inventory $(call quoted,$(or $(INVENTORY),sample_fleet/inventory.yml))) \
		playbooks/gate_io.yml $(ARGS)

.PHONY: venv
venv: $(LINES:%=venv-%) venv-managed venv-lint ## make the virtual environments of the tests

venv-%:
	@tools/in-venv $*

.PHONY: test
# Those that wait for something first, those that only compute last, so that no processor is idle. The scenario stall measures: it
# comes after the units, when the emulated machines are mostly done.
test: ## test-fast, browser, docs, fleet, importer, and the Molecule scenarios (SCENARIOS='default' for one of them)
	@$(ALL_OF) $(addprefix molecule-,$(filter-out stall,$(SCENARIOS))) unit $(addprefix molecule-,$(filter stall,$(SCENARIOS))) fleet importer docs sanity lint browser awx

.PHONY: test-fast
test-fast: ## unit tests, sanity tests, lint, AWX
	@$(ALL_OF) unit sanity lint awx

.PHONY: unit unit-managed
unit: $(ENDS:%=unit-%) unit-managed ## unit tests with the oldest and the newest ansible-core line, and what they cover (ARGS='-k drive')

# What runs on managed hosts, on the oldest Python there; the controller's policy and reports do not, nor do the tests' own stand-ins.
CONTROLLERS := plugins/action plugins/filter plugins/plugin_utils playbooks roles stand_ins tools test_data_doc.py test_pages.py test_reasons.py
unit-managed:
	@tests/tools/apt-packages cpio || true
	@tools/in-venv managed pytest $(CONTROLLERS:%=--ignore=tests/unit/%) $(ARGS)

# Where the published schema of SARIF cannot be had, the test that needs it is skipped, by name. The newest line also measures what the
# tests cover, where all of them run.
unit-%:
	@tests/tools/apt-packages cpio || true
	@tests/tools/sarif-schema || true
	@tools/in-venv $* $(if $(ARGS),pytest $(ARGS),$(if $(filter $*,$(NEWEST)),tests/tools/room_coverage.py,pytest))

.PHONY: browser
browser: ## the HTML report in a real Chromium, on Debian as root or where Chromium is installed
	@tests/tools/apt-packages chromium chromium-driver poppler-utils || true
	@tests/tools/axe-core || true
	@tools/in-venv browser pytest tests/browser $(ARGS)

.PHONY: docs
docs: ## build the docs site, build/docs/output/index.html; every warning fails
	@tools/in-venv docs tests/tools/docs-site

.PHONY: fleet
fleet: $(LINES:%=fleet-%) ## harden the sample fleet with every ansible-core line, and look at the result; with the newest take it back

fleet-%:
	@tools/in-venv $* pytest $(if $(filter $*,$(NEWEST)),tests/fleet,tests/fleet/test_harden.py tests/fleet/test_hostile.py) $(ARGS)

# Where the collection awx.awx cannot be had, the tests that need it are skipped, by name.
.PHONY: awx
awx: ## the checkout as an AWX project, setup_awx.yml against awx.awx, the execution environment's definition
	@tests/tools/awx-collection || true
	@tools/in-venv awx pytest tests/awx $(ARGS)

.PHONY: sanity
sanity: $(ENDS:%=sanity-%) ## ansible-test sanity with the oldest and the newest ansible-core line, of the tests themselves with the newest

# What an older line could say of tests, the newest says.
sanity-%:
	@tests/tools/apt-packages shellcheck || true
	@tools/in-venv $* tests/tools/sanity $(if $(filter $*,$(NEWEST)),,--exclude tests/)

.PHONY: importer
importer: ## what Galaxy does to a release: build the tarball, and import it
	@tools/in-venv importer tests/tools/importer

.PHONY: lint
lint: ## ansible-lint, yamllint, ruff, mypy, changelog, licences
	@tools/in-venv lint tests/tools/lint

.PHONY: molecule
molecule: ## the Molecule scenarios, on Debian as root
	@$(MAKE) --no-print-directory --keep-going $(addprefix molecule-,$(SCENARIOS))

molecule-%:
	@tests/tools/molecule $*

.PHONY: benchmark
benchmark: ## what reading, assessing, a second run, applying, gating and watching cost
	@tools/in-venv 2.21 env PYTHONPATH=build/collections python tests/benchmarks/guest_io.py $(ARGS)
	@tools/in-venv 2.21 env PYTHONPATH=build/collections python tests/benchmarks/api_io.py
	@tools/in-venv 2.21 env PYTHONPATH=build/collections python tests/benchmarks/libvirt_io.py
	@tools/in-venv 2.21 python tests/benchmarks/gate_io.py
	@tools/in-venv 2.21 env PYTHONPATH=build/collections python tests/benchmarks/io_stall_info.py

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build
