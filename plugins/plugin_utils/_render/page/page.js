// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// The interactive parts of the page: the map, and two tables with filters, sorting and pages.
// All text of guests goes through textContent; nothing here makes markup from data.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  // Every text of the page once, in natural order: the number of a text is also its rank.
  const texts = data.texts;
  const lower = texts.map((text) => text.toLowerCase());
  const guests = data.guests;
  const findings = data.findings;
  const PAGE = innerWidth < 700 ? 10 : 25;

  function make(name, properties, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key in element) element[key] = value;
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  function svg(name, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  const english = (number) => number.toLocaleString("en");
  const short = (text) => (text && text.length > 128 ? text.slice(0, 127) + "~" : text);

  // ---- marks: each state has its own shape, so that colour is not the only sign ----
  function shape(name, x, y, size) {
    const at = data.shapes[name];
    let path = "";
    for (let i = 0; i < at.length; i += 3) {
      path += at[i] + (x + at[i + 1] * size).toFixed(1) + " " + (y + at[i + 2] * size).toFixed(1);
    }
    return path + "Z";
  }

  function mark(name) {
    const box = svg("svg", { class: "mark", viewBox: "0 0 12 12", "aria-hidden": "true" });
    box.append(svg("path", { class: name, d: shape(name, 0, 0, 12), "fill-rule": "evenodd" }));
    return box;
  }

  function marked(name, label) {
    return make("span", { className: "cell-mark" }, mark(name), label);
  }

  // ---- tables ----
  // column: {head, rank(row) -> number, fill(cell, row), number: bool}
  function table(section, spec) {
    const state = { sort: spec.sort, down: false, page: 0, order: null, shown: [], only: null };
    const status = make("p", { className: "quiet", role: "status" });
    const search = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const selects = spec.selects.map((select) => {
      const box = make("select");
      box.append(new Option(select.all, ""));
      for (const [value, label] of select.options) box.append(new Option(label, value));
      box.value = select.value || "";
      return box;
    });
    const tools = make("div", { className: "tools", role: "search", "aria-label": spec.name });
    tools.append(make("label", { className: "search" }, "Search", search));
    spec.selects.forEach((select, n) => tools.append(make("label", { className: "half" }, select.label, selects[n])));
    const clear = make("button", { type: "button", textContent: "Show all" });
    tools.append(clear);

    const heads = spec.columns.map((column, n) => {
      const button = make("button", { type: "button", textContent: column.head });
      button.addEventListener("click", () => {
        state.down = state.sort === n ? !state.down : false;
        state.sort = n;
        state.order = null;
        draw(true);
      });
      return make("th", { scope: "col", role: "columnheader", className: column.number ? "n" : "" }, button);
    });
    const body = make("tbody", { role: "rowgroup" });
    const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads));
    const whole = make("table", { role: "table", "aria-label": spec.name }, head, body);
    const back = make("button", { type: "button", textContent: "Previous" });
    const next = make("button", { type: "button", textContent: "Next" });
    const where = make("span", { className: "quiet" });
    section.append(tools, status, make("div", { className: "scroll cards" }, whole), make("div", { className: "pager" }, back, next, where));

    function sorted() {
      if (state.order) return state.order;
      const ranks = new Float64Array(spec.size);
      const rank = spec.columns[state.sort].rank;
      for (let row = 0; row < spec.size; row++) ranks[row] = rank(row);
      const order = Array.from({ length: spec.size }, (_, row) => row);
      const sign = state.down ? -1 : 1;
      order.sort((a, b) => sign * (ranks[a] - ranks[b]) || a - b);
      heads.forEach((th, n) => {
        if (n === state.sort) th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        else th.removeAttribute("aria-sort");
      });
      state.order = order;
      return order;
    }

    // For each word of the search: which texts contain it.
    function words() {
      return search.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
        const hits = new Uint8Array(lower.length);
        for (let n = 0; n < lower.length; n++) hits[n] = lower[n].includes(word) ? 1 : 0;
        return hits;
      });
    }

    function filter() {
      const wanted = words();
      const tests = spec.selects.map((select, n) => (selects[n].value === "" ? null : select.test(selects[n].value))).filter(Boolean);
      return sorted().filter((row) => {
        if (state.only && !state.only.test(row)) return false;
        for (const test of tests) if (!test(row)) return false;
        for (const hits of wanted) if (!spec.search(row, hits)) return false;
        return true;
      });
    }

    function draw(again) {
      if (again) {
        state.shown = filter();
        state.page = 0;
      }
      const first = state.page * PAGE;
      const rows = state.shown.slice(first, first + PAGE);
      const fragment = document.createDocumentFragment();
      for (const row of rows) {
        const tr = make("tr", { role: "row" });
        for (const column of spec.columns) {
          const cell = make("td", { role: "cell", "data-label": column.head, className: column.number ? "n" : column.css || "" });
          const content = make("div");
          column.fill(content, row);
          if (content.textContent || content.querySelector("svg")) cell.append(content);
          tr.append(cell);
        }
        fragment.append(tr);
      }
      body.replaceChildren(fragment);
      const count = state.shown.length;
      const total = english(spec.size);
      status.textContent = (count === spec.size ? "" : english(count) + " of ") + total + " " + spec.noun + (spec.size === 1 ? "" : "s") + (state.only ? ", only " + state.only.label : "");
      where.textContent = count ? "Rows " + [first + 1, first + rows.length].map(english).join(" to ") + " of " + english(count) : "";
      back.disabled = state.page === 0;
      next.disabled = first + PAGE >= count;
    }

    function turn(by) {
      state.page += by;
      draw(false);
      section.scrollIntoView();
    }
    search.addEventListener("input", () => draw(true));
    for (const box of selects) box.addEventListener("change", () => draw(true));
    back.addEventListener("click", () => turn(-1));
    next.addEventListener("click", () => turn(1));
    clear.addEventListener("click", () => show({}));

    // show({host: "3"}, {label, test(row)}): clears all other filters.
    function show(values, only) {
      search.value = "";
      state.only = only || null;
      spec.selects.forEach((select, n) => (selects[n].value = values[select.key] || ""));
      draw(true);
    }
    section.hidden = false;
    draw(true);
    return { show, section };
  }

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

  const distinct = (numbers) => [...new Set(numbers)].filter((n) => n >= 0).sort((a, b) => a - b);
  const textOptions = (numbers) => distinct(numbers).map((n) => [String(n), texts[n]]);
  const is = (column) => (value) => (row) => column[row] === Number(value);

  // Counted once per guest.
  const open = new Uint32Array(guests.id.length);
  const waived = new Uint32Array(guests.id.length);
  findings.guest.forEach((guest, row) => {
    if (guest >= 0) (findings.waiver[row] < 0 ? open : waived)[guest] += 1;
  });
  const attention = new Set(data.states.map((state, n) => [state[0], n]).filter(([name]) => !["compliant", "changed", "waived"].includes(name)).map(([, n]) => n));
  const typesOf = guests.types;

  const guestTable = table(document.getElementById("guests"), {
    name: "Guests",
    noun: "guest",
    size: guests.id.length,
    sort: 0,
    columns: [
      { head: "State", css: "nowrap", rank: (row) => guests.state[row], fill: (cell, row) => cell.append(marked(...data.states[guests.state[row]])) },
      { head: "Host", css: "name", rank: (row) => guests.host[row], fill: (cell, row) => nameOf(cell, guests.host[row]) },
      {
        head: "Guest",
        rank: (row) => guests.id[row],
        fill: (cell, row) => {
          say(cell, guests.id[row]);
          if (guests.on[row] >= 0) small(cell, "on " + texts[guests.on[row]]);
        },
      },
      { head: "Name", css: "name", rank: (row) => guests.name[row], fill: (cell, row) => nameOf(cell, guests.name[row]) },
      { head: "Disks", number: true, rank: (row) => guests.disks[row], fill: (cell, row) => cell.append(String(guests.disks[row])) },
      { head: "Storage", rank: (row) => (typesOf[row].length ? typesOf[row][0] : -1), fill: (cell, row) => cell.append(typesOf[row].map((n) => texts[n]).join(", ")) },
      { head: "Findings", number: true, rank: (row) => -open[row], fill: (cell, row) => cell.append(open[row] || waived[row] ? findingsLink(row) : "0") },
      {
        head: "Why",
        css: "text",
        rank: (row) => guests.reason[row],
        fill: (cell, row) => {
          const notes = [];
          if (guests.reason[row] >= 0) notes.push(texts[guests.reason[row]]);
          if (guests.restart_pending[row] && data.states[guests.state[row]][0] !== "restart_pending") notes.push("also waiting for a restart");
          cell.append(notes.join("; "));
          if (guests.detail[row] >= 0) small(cell, texts[guests.detail[row]]);
        },
      },
    ],
    selects: [
      {
        key: "state",
        label: "State",
        all: "All states",
        options: [["attention", "Needs attention"], ...data.states.map(([, label], n) => [String(n), label])],
        test: (value) => (value === "attention" ? (row) => attention.has(guests.state[row]) : (row) => guests.state[row] === Number(value) || (data.states[value][0] === "restart_pending" && guests.restart_pending[row])),
      },
      { key: "host", label: "Host", all: "All hosts", options: textOptions(guests.host), test: is(guests.host) },
      { key: "type", label: "Storage type", all: "All types", options: textOptions(typesOf.flat()), test: (value) => (row) => typesOf[row].includes(Number(value)) },
    ],
    search: (row, hits) =>
      hits[guests.id[row]] || hits[guests.name[row]] || hits[guests.host[row]] || hits[guests.reason[row]] || hits[guests.detail[row]] || typesOf[row].some((n) => hits[n]),
  });

  function findingsLink(row) {
    const text = open[row] ? String(open[row]) : waived[row] + " waived";
    const button = make("button", { type: "button", className: "link", textContent: text, "aria-label": text + (text === "1" ? " finding" : " findings") + " of guest " + texts[guests.id[row]] });
    button.addEventListener("click", () => go(findingTable, { waived: open[row] ? "no" : "yes" }, { label: named(row), test: (finding) => findings.guest[finding] === row }));
    return button;
  }

  const findingTable = table(document.getElementById("findings"), {
    name: "Findings",
    noun: "finding",
    size: findings.rule.length,
    sort: 0,
    columns: [
      { head: "Severity", css: "nowrap", rank: (row) => findings.severity[row], fill: (cell, row) => cell.append(marked(data.severities[findings.severity[row]], data.severities[findings.severity[row]])) },
      { head: "Rule", css: "nowrap", rank: (row) => findings.rule[row], fill: (cell, row) => say(cell, findings.rule[row]) },
      { head: "Host", css: "name", rank: (row) => findings.host[row], fill: (cell, row) => nameOf(cell, findings.host[row]) },
      {
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
        head: "Disk",
        rank: (row) => findings.disk[row],
        fill: (cell, row) => {
          say(cell, findings.disk[row]);
          if (findings.type[row] >= 0) small(cell, texts[findings.type[row]]);
        },
      },
      {
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
      { head: "Found", css: "value", rank: (row) => findings.actual[row], fill: (cell, row) => say(cell, findings.actual[row]) },
      { head: "Wanted", css: "value", rank: (row) => findings.wanted[row], fill: (cell, row) => say(cell, findings.wanted[row]) },
      {
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
      { key: "severity", label: "Severity", all: "All", options: data.severities.map((name, n) => [String(n), name]), test: is(findings.severity) },
      { key: "rule", label: "Rule", all: "All rules", options: distinct(findings.rule).map((n) => [String(n), texts[n] + " " + (data.rules[texts[n]] || "")]), test: is(findings.rule) },
      { key: "host", label: "Host", all: "All hosts", options: textOptions(findings.host), test: is(findings.host) },
      { key: "type", label: "Storage type", all: "All types", options: textOptions(findings.type), test: is(findings.type) },
      {
        key: "waived",
        label: "Waived",
        all: "With waived",
        options: [["no", "Not waived"], ["yes", "Only waived"]],
        value: "no",
        test: (value) => (row) => (findings.waiver[row] >= 0) === (value === "yes"),
      },
    ],
    search: (row, hits) =>
      hits[findings.rule[row]] || hits[findings.host[row]] || hits[findings.id[row]] || hits[findings.name[row]] || hits[findings.disk[row]] || hits[findings.type[row]] ||
      hits[findings.message[row]] || hits[findings.hint[row]] || hits[findings.waiver[row]] || hits[findings.file[row]] || hits[findings.actual[row]] || hits[findings.wanted[row]],
  });

  function named(guest) {
    const on = guests.on[guest] >= 0 ? "on " + texts[guests.on[guest]] : "";
    return [texts[guests.host[guest]], texts[guests.id[guest]], texts[guests.name[guest]], on].filter(Boolean).map(short).join(" ");
  }

  function go(where, values, only) {
    where.show(values, only);
    where.section.scrollIntoView();
  }

  // ---- buttons of the static parts: data-table, data-key, data-value (a text) ----
  const byText = new Map(texts.map((text, n) => [text, String(n)]));
  for (const button of document.querySelectorAll("button[data-table]")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      const { table: name, key, value } = button.dataset;
      const number = key === "state" ? String(data.states.findIndex(([state]) => state === value)) : byText.get(value);
      go(name === "guests" ? guestTable : findingTable, { [key]: number });
    });
  }

  // ---- the map: one path per state, however many guests there are ----
  const map = document.getElementById("map");
  const box = map.querySelector(".scroll");
  const tip = make("div", { id: "tip", hidden: true });
  document.body.append(tip);
  let places = [];
  let cell = 12;

  function drawMap() {
    const width = Math.max(box.clientWidth - 2, 200);
    const size = guests.id.length > 1500 ? 9 : 14;
    cell = size;
    const narrow = width < 600;
    const left = narrow ? 0 : 150;
    const across = Math.max(Math.floor((width - left) / size), 1);
    const paths = data.states.map(() => []);
    const root = svg("svg", { role: "img", "aria-label": "Map: " + guests.id.length + " guests by host and state" });
    places = [];
    let y = 2;
    for (let start = 0; start < guests.id.length; ) {
      let end = start;
      while (end < guests.id.length && guests.host[end] === guests.host[start]) end++;
      const name = texts[guests.host[start]] || data.no_host;
      const short = name.length > 20 && !narrow ? name.slice(0, 19) + "~" : name;
      const label = svg("text", { x: 0, y: y + 10 });
      label.textContent = short;
      root.append(label);
      if (narrow) y += 16;
      places.push({ y, start, end, left, across });
      for (let guest = start; guest < end; guest++) {
        const at = guest - start;
        paths[guests.state[guest]].push(shape(data.states[guests.state[guest]][0], left + (at % across) * size, y + Math.floor(at / across) * size, size - 2));
      }
      y += Math.max(Math.ceil((end - start) / across) * size, 14) + 6;
      start = end;
    }
    paths.forEach((list, n) => root.append(svg("path", { class: data.states[n][0], d: list.join(""), "fill-rule": "evenodd" })));
    root.setAttribute("width", width);
    root.setAttribute("height", y);
    root.addEventListener("pointermove", (event) => point(event, root));
    root.addEventListener("pointerleave", () => (tip.hidden = true));
    root.addEventListener("click", (event) => {
      const guest = under(event, root);
      if (guest >= 0) {
        tip.hidden = true;
        go(guestTable, {}, { label: named(guest), test: (row) => row === guest });
      }
    });
    box.replaceChildren(root);
  }

  function under(event, root) {
    const area = root.getBoundingClientRect();
    const x = event.clientX - area.left;
    const y = event.clientY - area.top;
    let found = -1;
    for (const place of places) {
      if (y < place.y || x < place.left) continue;
      const column = Math.floor((x - place.left) / cell);
      const guest = place.start + Math.floor((y - place.y) / cell) * place.across + column;
      if (column < place.across && guest < place.end) found = guest;
    }
    return found;
  }

  function point(event, root) {
    const guest = under(event, root);
    tip.hidden = guest < 0;
    if (guest < 0) return;
    const why = guests.reason[guest] >= 0 ? ": " + texts[guests.reason[guest]] : "";
    tip.textContent = named(guest) + " - " + data.states[guests.state[guest]][1] + why;
    tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8) + "px";
  }

  if (guests.id.length) {
    map.hidden = false;
    drawMap();
    let drawn = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== drawn) {
        drawn = innerWidth;
        drawMap();
      }
    });
  }

  // ---- light and dark ----
  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const label = () => (theme.textContent = isDark() ? "Light" : "Dark");
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  dark.addEventListener("change", label);
  theme.hidden = false;
  label();

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
})();
