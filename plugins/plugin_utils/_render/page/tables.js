// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// The table of guests and the table of findings: their columns, filters, and what a search looks at.

function say(cell, number) {
  if (number >= 0 && texts[number]) cell.append(texts[number]);
}

// At most as long as names are; a tooltip has the whole name.
function nameOf(cell, number) {
  if (number < 0 || !texts[number]) return;
  const text = texts[number];
  cell.append(text === short(text) ? text : make("span", { title: text }, short(text)));
}

function small(cell, text) {
  if (text) cell.append(make("br"), make("small", {}, text));
}

// A filter by the texts of a column.
function byText(key, label, all, numbers, test, words) {
  const options = [...new Set(numbers)].filter((n) => n >= 0).sort((a, b) => a - b);
  return {
    key,
    label,
    options: [["", all], ...options.map((n) => [texts[n], words ? words(texts[n]) : texts[n]])],
    test: (value) => value !== "" && ((number) => (row) => test(row, number))(numberOf.get(value)),
  };
}

// Counted once per guest.
const open = new Uint32Array(guests.id.length);
const waived = new Uint32Array(guests.id.length);
findings.guest.forEach((guest, row) => {
  if (guest >= 0) (findings.waiver[row] < 0 ? open : waived)[guest] += 1;
});
const stateOf = (row) => data.states[guests.state[row]][0];
const quiet = new Set(["compliant", "changed", "waived"]);

let keys = null;
function only(text, test) {
  keys = keys || new Map(guests.id.map((_, guest) => [keyOf(guest), guest]));
  const guest = keys.get(text);
  return guest === undefined ? null : { key: text, label: named(guest), test: (row) => test(row, guest) };
}

const guestSpec = {
  name: "Guests",
  noun: "guest",
  size: guests.id.length,
  only: (text) => only(text, (row, guest) => row === guest),
  columns: [
    { key: "state", head: "State", css: "nowrap", rank: (row) => guests.state[row], fill: (cell, row) => cell.append(marked(...data.states[guests.state[row]])) },
    { key: "host", head: "Host", css: "name", rank: (row) => guests.host[row], fill: (cell, row) => nameOf(cell, guests.host[row]) },
    {
      key: "guest",
      head: "Guest",
      rank: (row) => guests.id[row],
      fill: (cell, row) => {
        say(cell, guests.id[row]);
        if (guests.on[row] >= 0) small(cell, "on " + texts[guests.on[row]]);
      },
    },
    { key: "name", head: "Name", css: "name", rank: (row) => guests.name[row], fill: (cell, row) => nameOf(cell, guests.name[row]) },
    { key: "disks", head: "Disks", number: true, rank: (row) => guests.disks[row], fill: (cell, row) => cell.append(String(guests.disks[row])) },
    {
      key: "storage",
      head: "Storage",
      rank: (row) => (guests.types[row].length ? guests.types[row][0] : -1),
      fill: (cell, row) => cell.append(guests.types[row].map((n) => texts[n]).join(", ")),
    },
    { key: "findings", head: "Findings", number: true, rank: (row) => -open[row], fill: (cell, row) => cell.append(open[row] || waived[row] ? findingsLink(row) : "0") },
    {
      key: "why",
      head: "Why",
      css: "text",
      rank: (row) => guests.reason[row],
      fill: (cell, row) => {
        const notes = [];
        if (guests.reason[row] >= 0) notes.push(texts[guests.reason[row]]);
        if (guests.restart_pending[row] && stateOf(row) !== "restart_pending") notes.push("also waiting for a restart");
        cell.append(notes.join("; "));
        if (guests.detail[row] >= 0) small(cell, texts[guests.detail[row]]);
      },
    },
  ],
  selects: [
    {
      key: "state",
      label: "State",
      options: [["", "All states"], ["attention", "Needs attention"], ...data.states],
      test: (value) => {
        if (value === "") return null;
        if (value === "attention") return (row) => !quiet.has(stateOf(row)) || guests.restart_pending[row];
        if (value === "restart_pending") return (row) => guests.restart_pending[row];
        return (row) => stateOf(row) === value;
      },
    },
    byText("why", "Why", "All reasons", guests.reason, (row, number) => guests.reason[row] === number),
    byText("host", "Host", "All hosts", guests.host, (row, number) => guests.host[row] === number),
    byText("type", "Storage type", "All types", guests.types.flat(), (row, number) => guests.types[row].includes(number)),
  ],
  search: (row, hits) =>
    hits[guests.id[row]] || hits[guests.name[row]] || hits[guests.host[row]] || hits[guests.reason[row]] || hits[guests.detail[row]] || guests.types[row].some((n) => hits[n]),
};

function findingsLink(row) {
  const text = open[row] ? english(open[row]) : english(waived[row]) + " waived";
  const values = { guest: keyOf(row), waived: open[row] ? "no" : "yes" };
  return link("findings", values, { textContent: text, "aria-label": text + (text === "1" ? " finding" : " findings") + " of guest " + texts[guests.id[row]] });
}

// Where a rule is explained.
function ruleLink(rule) {
  const [title, address] = data.rules[rule] || ["", ""];
  return address ? make("a", { href: address, rel: "noreferrer", title }, rule) : rule;
}

const findingSpec = {
  name: "Findings",
  noun: "finding",
  size: findings.rule.length,
  only: (text) => only(text, (row, guest) => findings.guest[row] === guest),
  columns: [
    { key: "severity", head: "Severity", css: "nowrap", rank: (row) => findings.severity[row], fill: (cell, row) => cell.append(marked(data.severities[findings.severity[row]], data.severities[findings.severity[row]])) },
    { key: "rule", head: "Rule", css: "nowrap", rank: (row) => findings.rule[row], fill: (cell, row) => cell.append(ruleLink(texts[findings.rule[row]] || "")) },
    { key: "host", head: "Host", css: "name", rank: (row) => findings.host[row], fill: (cell, row) => nameOf(cell, findings.host[row]) },
    {
      key: "guest",
      head: "Guest",
      css: "name",
      rank: (row) => findings.id[row],
      fill: (cell, row) => {
        say(cell, findings.id[row]);
        if (findings.name[row] >= 0) {
          cell.append(" ");
          nameOf(cell, findings.name[row]);
        }
        const guest = findings.guest[row];
        if (guest >= 0 && guests.on[guest] >= 0) small(cell, "on " + texts[guests.on[guest]]);
      },
    },
    {
      key: "disk",
      head: "Disk",
      rank: (row) => findings.disk[row],
      fill: (cell, row) => {
        say(cell, findings.disk[row]);
        if (findings.type[row] >= 0) small(cell, texts[findings.type[row]]);
      },
    },
    {
      key: "what",
      head: "What, and what to do",
      css: "text",
      rank: (row) => findings.message[row],
      fill: (cell, row) => {
        say(cell, findings.message[row]);
        if (findings.hint[row] >= 0) small(cell, texts[findings.hint[row]]);
        const waiver = findings.waiver[row];
        if (waiver >= 0) small(cell, "Waived by " + texts[waiver]);
      },
    },
    { key: "found", head: "Found", css: "value", rank: (row) => findings.actual[row], fill: (cell, row) => say(cell, findings.actual[row]) },
    { key: "wanted", head: "Wanted", css: "value", rank: (row) => findings.wanted[row], fill: (cell, row) => say(cell, findings.wanted[row]) },
    {
      key: "where",
      head: "Where",
      css: "where",
      rank: (row) => findings.file[row],
      fill: (cell, row) => {
        if (findings.file[row] < 0) return;
        const path = make("small");
        // A long path breaks after a slash.
        const steps = texts[findings.file[row]].split(/(?<=\/)/);
        const last = steps.pop();
        steps.forEach((step) => path.append(step, make("wbr")));
        // The line number stays with the name of its file.
        const end = last + (findings.line[row] ? ":" + findings.line[row] : "");
        path.append(end.length <= 40 ? make("span", { className: "nowrap" }, end) : end);
        cell.append(path);
      },
    },
  ],
  selects: [
    {
      key: "severity",
      label: "Severity",
      options: [["", "All"], ...data.severities.map((name) => [name, name])],
      test: (value) => value !== "" && ((number) => (row) => findings.severity[row] === number)(data.severities.indexOf(value)),
    },
    byText("rule", "Rule", "All rules", findings.rule, (row, number) => findings.rule[row] === number, (rule) => rule + " " + (data.rules[rule] || [""])[0]),
    byText("host", "Host", "All hosts", findings.host, (row, number) => findings.host[row] === number),
    byText("type", "Storage type", "All types", findings.type, (row, number) => findings.type[row] === number),
    {
      key: "waived",
      label: "Waived",
      start: "no",
      options: [["all", "With waived"], ["no", "Not waived"], ["yes", "Only waived"]],
      test: (value) => value !== "all" && ((row) => findings.waiver[row] >= 0 === (value === "yes")),
    },
  ],
  search: (row, hits) =>
    hits[findings.rule[row]] || hits[findings.host[row]] || hits[findings.id[row]] || hits[findings.name[row]] || hits[findings.disk[row]] || hits[findings.type[row]] ||
    hits[findings.message[row]] || hits[findings.hint[row]] || hits[findings.waiver[row]] || hits[findings.file[row]] || hits[findings.actual[row]] || hits[findings.wanted[row]],
};
