// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// The address says what the page shows, so that a link to it can be sent: #SECTION&TABLE.KEY=TEXT&…
// It stays in the fragment, which a browser keeps on file:// too and sends to no server.

const sections = [...document.querySelectorAll("nav a")].map((one) => one.hash.slice(1));
const tables = [];

function write(section, shown) {
  const parts = [section];
  for (const [name, values] of shown) {
    for (const [key, value] of Object.entries(values)) parts.push(name + "." + key + "=" + encodeURIComponent(value));
  }
  return "#" + parts.join("&");
}

// {section: "" where none is named, values: table to {key: text}}
function read() {
  const hash = location.hash.slice(1);
  const values = new Map(tables.map((one) => [one.name, {}]));
  for (const [name, text] of new URLSearchParams(hash)) {
    const [, of, key] = /^(\w+)\.(\w+)$/.exec(name) || [];
    if (values.has(of)) values.get(of)[key] = text;
  }
  const section = hash.split("&", 1)[0];
  return { section: sections.includes(section) ? section : "", values };
}

function keep(address, step) {
  if (address === location.hash) return;
  try {
    history[step ? "pushState" : "replaceState"](null, "", address);
  } catch {
    // A page inside another one may not change its address, and some browsers limit how often: the page works without.
  }
}

let typing = 0;
function changedBy(name) {
  return (step) => {
    clearTimeout(typing);
    const save = () => keep(write(name, tables.map((one) => [one.name, one.shown()])), step);
    if (step) save();
    else typing = setTimeout(save, 300);
  };
}

// What the address says, shown; the section that it names comes into view.
function follow() {
  const { section, values } = read();
  for (const one of tables) one.show(values.get(one.name));
  if (section) document.getElementById(section).scrollIntoView();
}

// To a section, with the focus, so that the keyboard goes on from there.
function go(section) {
  const heading = document.querySelector("#" + section + " h2");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  document.getElementById(section).scrollIntoView();
}

// A link that shows some rows of a table and leaves the other table as it is.
function link(name, values, properties, ...children) {
  const anchor = make("a", { href: write(name, [[name, values]]), ...properties }, ...children);
  anchor.addEventListener("click", (event) => {
    // With a key pressed it opens elsewhere, by its own address.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    visit(name, values);
  });
  return anchor;
}

function visit(name, values) {
  tables.find((one) => one.name === name).show(values);
  changedBy(name)(true);
  go(name);
}

function startAddress() {
  tables.push(table(document.getElementById("guests"), guestSpec, changedBy("guests")));
  tables.push(table(document.getElementById("findings"), findingSpec, changedBy("findings")));
  for (const anchor of document.querySelectorAll("nav a")) {
    anchor.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      changedBy(anchor.hash.slice(1))(true);
      go(anchor.hash.slice(1));
    });
  }
  // What the template has marked as leading to some rows.
  for (const place of document.querySelectorAll("[data-table]")) {
    const { table: name, ...values } = place.dataset;
    place.replaceWith(link(name, values, { className: place.className }, ...place.childNodes));
  }
  addEventListener("popstate", follow);
  follow();
}
