#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Join findings, judge them, and write the reports
version_added: 0.1.0
description:
  - Joins the findings documents of several hosts, or reads and assesses a directory of guest configs itself.
  - Prints what needs attention, and writes the requested reports.
  - With O(fail_on) it is a gate. It fails on a finding of that severity or worse that is not waived, on a host without a report,
    and where there was no guest to judge.
  - Runs on the controller. Each report is replaced as a whole. If one cannot be written, the others are written and then the task fails.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  documents:
    description: Findings document of P(hypervisor.io_hardening.assess#filter) by host.
    type: dict
  variables:
    description:
      - The names of variables in which each of O(hosts) has these, instead of the values. They are taken as they are, without a template.
      - Much faster for thousands of guests.
    type: dict
    suboptions:
      documents:
        description: The variable with RV(hypervisor.io_hardening.guest_io_assess#module:findings) and the other keys of the document.
        type: str
      results:
        description: The variable with the results of M(hypervisor.io_hardening.guest_io).
        type: str
      changes:
        description:
          - The variables with what M(hypervisor.io_hardening.guest_io_change) and M(hypervisor.io_hardening.host_io) returned.
            They have the name of the run, by which it can be rolled back.
        type: list
        elements: str
      assessments:
        description:
          - By subject of the hosts, the variable with its assessment, such as V(host_writeback_report) for V(writeback), or the
            way to it with dots, such as V(io_host_report.assessments.queues).
        type: dict
      api:
        description: The variable that a host has which stands for a cluster behind an API. Its guests must be no other host's.
        type: str
  guests:
    description: V(false) says that the run does not look at guests. With O(variables), a host without a document is not silent then.
    type: bool
    default: true
  parts:
    description: RV(part) of several runs, for instance of the slices of one job.
    type: list
    elements: str
  root:
    description:
      - A directory of guest configs and domain XML on the controller, as in O(hypervisor.io_hardening.guest_io_info#module:root),
        of plans of Terraform or OpenTofu as C(terraform show -json) prints them, or of all these; or one plan.
        It is read and assessed in place, thousands of guests in seconds.
      - Needs O(policy).
    type: path
  storage_cfg:
    description: A file with the storages that the plans of O(root) name, a copy of the cluster's C(storage.cfg).
    type: path
  source:
    description: The directory with the C(.tf) files of the plans, to point at in findings. The default is the directory of each plan.
    type: path
  write_waivers:
    description:
      - A file to write with waivers for all that fails the gate now, as a beginning. Each waiver is for one guest or disk, ends after 90 days
        and has a reason to fill in.
      - A file that is there already is not overwritten. Needs O(fail_on).
    type: path
  policy:
    description: The policy for the guests below O(root), see docs/data.md.
    type: dict
  load_policy:
    description: The policy for backups and limits below O(root), see docs/load.md. Without it they are judged, and no value is asked for.
    type: dict
  waivers:
    description: Waivers in addition to those of O(policy).
    type: list
    elements: dict
  waivers_file:
    description: A YAML file on the controller with a list of more waivers. It is read as data, and nothing in it as a template.
    type: path
  date:
    description: The day for which waivers are judged with O(root). The default is today.
    type: raw
  hosts:
    description: Hosts that a report is expected from. A host without a report is listed as silent and fails the gate.
    type: list
    elements: str
  complete:
    description:
      - V(false) means that there are more hosts, as in a run with a limit.
      - Then, and where a host gave no report, a waiver that matches nothing is not a finding. Its guest may be on another host.
    type: bool
    default: true
  results:
    description: Results of M(hypervisor.io_hardening.guest_io) by host.
    type: dict
  assessments:
    description:
      - What was assessed of the hosts themselves, by subject and host. An assessment has the keys C(findings), C(changed), C(plan), C(status)
        and C(detail), as the fact C(host_writeback_report) has them.
      - The reports show every subject under the name it has here.
    type: dict
  migrate_variable:
    description: What the reader sets to allow guests another disk driver. Reports name it where they say what to do.
    type: str
    default: migrate_controllers
  fail_on:
    description:
      - What fails the task. A severity (V(error), V(warning) or V(note)) stands for itself and all that are worse, an id of a rule such as
        V(IO104) for that rule whatever its severity. Both may be given, as a list or with commas.
      - Without it the task only reports.
    type: raw
  part:
    description: Whether to return the joined document in a form that can be passed to another job.
    type: bool
    default: false
  directory:
    description:
      - A folder for all reports, as C(guest-io.json), C(guest-io.junit.xml), C(guest-io.sarif), C(guest-io.codequality.json),
        C(guest-io.html), C(guest-io.md), C(guest-io.csv) and C(guest-io.prom). A folder that is missing is made.
    type: path
  json:
    description: The path of the findings document as JSON, see docs/findings.schema.json.
    type: path
  junit:
    description: The path of the JUnit XML, a test case per guest, disk and rule.
    type: path
  sarif:
    description: The path of the SARIF 2.1.0. It has the 25,000 most severe findings, because GitHub refuses a file with more.
    type: path
  codequality:
    description: The path of the Code Quality report for GitLab. Waived findings are not in it.
    type: path
  html:
    description: The path of the HTML page.
    type: path
  markdown:
    description: The path of the Markdown for a job's summary, of at most 512 KiB.
    type: path
  csv:
    description: The path of the table of guests as CSV, a row per guest. A text that a spreadsheet would take for a formula begins with C(').
    type: path
  prometheus:
    description: The path of the metrics for the textfile collector of Prometheus' node_exporter. Its name has to end in C(.prom).
    type: path
  annotations:
    description:
      - Whether to print findings as workflow commands of GitHub Actions, which shows them next to the lines of files.
        Of each severity at most ten, because GitHub shows no more.
    type: bool
    default: false
  base:
    description:
      - The top folder of the Git checkout. SARIF, the Code Quality report and annotations name the files in it relative to it.
      - The default is the current folder.
    type: path
attributes:
  check_mode:
    support: full
    description: Reports are written in check mode too. They say what the run would do.
  diff_mode:
    support: N/A
    description: Changes nothing on any host.
  idempotent:
    support: full
    description: The same findings give the same reports.
  action:
    support: full
    description: Runs on the controller, and needs no connection to a host.
seealso:
  - plugin: hypervisor.io_hardening.assess
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Gate a directory of guest configs
  hypervisor.io_hardening.report:
    root: configs
    policy: {controller: virtio-scsi-single, disk: {iothread: true, aio: threads, cache: none}}
    fail_on: error
    junit: build/guest-io.xml

- name: Harden the guests
  ansible.builtin.import_role:
    name: hypervisor.io_hardening.guest_io

- name: Report on all hosts of the play
  hypervisor.io_hardening.report:
    variables:
      documents: guest_io_findings
    hosts: "{{ ansible_play_hosts_all }}"
    directory: build/reports
  run_once: true
"""

RETURN = r"""
summary:
  description: The counts of the joined findings document.
  returned: success
  type: dict
  sample: {guests: 40, disks: 97, compliant: 10, findings: {error: 5, warning: 3, note: 2}}
written:
  description: The paths of the reports that were written.
  returned: success
  type: list
  elements: str
failures:
  description: By host, sentences about guests that failed or could not be read. They should fail the run at its end.
  returned: when O(documents) or O(variables) is given
  type: dict
  sample: {pve1: ["1 guest failed (refused: 101); the report above says why"]}
missing:
  description: A sentence for each guest that was named and is on no host.
  returned: when O(documents) or O(variables) is given
  type: list
  elements: str
trouble:
  description: Whether there are RV(failures) or RV(missing).
  returned: when O(documents) or O(variables) is given
  type: bool
passed:
  description: Whether the gate passed.
  returned: when O(fail_on) is given
  type: bool
part:
  description: The joined findings document, compressed and encoded, for O(parts).
  returned: when O(part=true)
  type: str
"""
