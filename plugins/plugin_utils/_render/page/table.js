// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// A table with a search, filters, sorting and pages. What it shows is a dictionary of texts, which the address keeps.

const PAGE = innerWidth < 700 ? 10 : 25;
// On paper. More is hundreds of sheets, and seconds until the print dialog opens.
const MOST_PRINTED = 1000;
const LONGEST_SEARCH = 200;

// spec: {name, noun, size, columns, selects, search(row, hits), only(text)}
//   column: {key, head, rank(row) -> number, fill(cell, row), number: bool, css}
//   select: {key, label, options: [[value, label]], test(value) -> (row) -> bool or null, start: the value at first}
// changed(step): what is shown has changed; step says that Back should lead to what was shown before.
function table(section, spec, changed) {
  const state = { sort: 0, down: false, page: 0, order: null, shown: [], only: null, paper: false };
  const status = make("p", { className: "quiet", role: "status" });
  const search = make("input", { type: "search", autocomplete: "off", spellcheck: false, maxLength: LONGEST_SEARCH });
  const selects = spec.selects.map((select) => {
    const box = make("select");
    for (const [value, label] of select.options) box.append(new Option(label, value));
    return box;
  });
  const start = (n) => spec.selects[n].start || spec.selects[n].options[0][0];
  const tools = make("div", { className: "tools", role: "search", "aria-label": spec.name });
  tools.append(make("label", { className: "search" }, "Search", search));
  spec.selects.forEach((select, n) => tools.append(make("label", { className: "half" }, select.label, selects[n])));
  const clear = make("button", { type: "button", textContent: "Show all" });
  tools.append(clear);

  const heads = spec.columns.map((column, n) => {
    const button = make("button", { type: "button", textContent: column.head });
    button.addEventListener("click", () => {
      sort(n, state.sort === n && !state.down);
      draw(true);
      changed(true);
    });
    return make("th", { scope: "col", role: "columnheader", className: column.number ? "n" : "" }, button);
  });
  const body = make("tbody", { role: "rowgroup" });
  const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads));
  const whole = make("table", { role: "table", "aria-label": spec.name }, head, body);
  const back = make("button", { type: "button", textContent: "Previous" });
  const next = make("button", { type: "button", textContent: "Next" });
  const where = make("span", { className: "quiet" });
  const omitted = make("p", { className: "paper", hidden: true });
  const pager = make("div", { className: "pager" }, back, next, where);
  section.append(tools, status, make("div", { className: "scroll cards" }, whole), omitted, pager);

  function sort(column, down) {
    state.sort = column;
    state.down = down;
    state.order = null;
  }

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
    const tests = spec.selects.map((select, n) => select.test(selects[n].value)).filter(Boolean);
    return sorted().filter((row) => {
      if (state.only && !state.only.test(row)) return false;
      for (const test of tests) if (!test(row)) return false;
      for (const hits of wanted) if (!spec.search(row, hits)) return false;
      return true;
    });
  }

  function fill(rows) {
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
  }

  function count(rows) {
    const some = rows === spec.size ? "" : english(rows) + " of ";
    const only = state.only ? ", only " + state.only.label : "";
    return some + english(spec.size) + " " + spec.noun + (spec.size === 1 ? "" : "s") + only;
  }

  function draw(again) {
    if (again) {
      state.shown = filter();
      state.page = 0;
    }
    omitted.hidden = true;
    if (state.paper) return all();
    const rows = state.shown.length;
    state.page = Math.max(0, Math.min(state.page, Math.ceil(rows / PAGE) - 1));
    const first = state.page * PAGE;
    const last = Math.min(first + PAGE, rows);
    fill(state.shown.slice(first, last));
    status.textContent = count(rows);
    where.textContent = rows ? "Rows " + english(first + 1) + " to " + english(last) + " of " + english(rows) : "";
    back.disabled = state.page === 0;
    next.disabled = last >= rows;
  }

  function turn(by) {
    state.page += by;
    draw(false);
    section.scrollIntoView();
    changed(true);
  }

  search.addEventListener("input", () => {
    draw(true);
    changed(false);
  });
  for (const box of selects) {
    box.addEventListener("change", () => {
      draw(true);
      changed(true);
    });
  }
  back.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  clear.addEventListener("click", () => {
    show(Object.fromEntries(spec.selects.map((select) => [select.key, select.options[0][0]])));
    changed(true);
  });

  // What is shown, as {key: text}, without what is as at first.
  function shown() {
    const values = {};
    if (search.value) values.search = search.value;
    spec.selects.forEach((select, n) => {
      if (selects[n].value !== start(n)) values[select.key] = selects[n].value;
    });
    if (state.only) values.guest = state.only.key;
    if (state.sort || state.down) values.sort = (state.down ? "-" : "") + spec.columns[state.sort].key;
    if (state.page) values.page = String(state.page + 1);
    return values;
  }

  // The opposite. The texts may come from anywhere: what is not known counts as not given.
  function show(values) {
    search.value = (values.search || "").slice(0, LONGEST_SEARCH);
    spec.selects.forEach((select, n) => {
      selects[n].value = values[select.key] ?? start(n);
      if (selects[n].selectedIndex < 0) selects[n].value = start(n);
    });
    state.only = (values.guest && spec.only(values.guest)) || null;
    const order = values.sort || "";
    const down = order.startsWith("-");
    const at = spec.columns.findIndex((column) => column.key === order.slice(down ? 1 : 0));
    sort(Math.max(at, 0), at >= 0 && down);
    draw(true);
    state.page = /^\d{1,6}$/.test(values.page) ? Number(values.page) - 1 : 0;
    if (state.page) draw(false);
  }

  // On paper there are no pages to turn: all rows, and of a table that nobody has filtered those hidden at first, too.
  function all() {
    const narrowed = search.value || state.only || selects.some((box, n) => box.value !== start(n));
    const rows = narrowed ? state.shown : sorted();
    fill(rows.slice(0, MOST_PRINTED));
    status.textContent = count(rows.length);
    omitted.hidden = rows.length <= MOST_PRINTED;
    omitted.textContent = "Printed are the first " + english(MOST_PRINTED) + " of " + english(rows.length) + " " + spec.noun + "s. Search on the page for the others; the JSON report has all.";
  }

  function print(paper) {
    state.paper = paper;
    draw(false);
  }

  section.hidden = false;
  return { name: section.id, section, shown, show, print };
}
