// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// The page's data, and how elements are made. All text of guests goes through textContent; nothing makes markup from data.
// to_html.py joins these files into one script.

const data = JSON.parse(document.getElementById("data").textContent);
// Every text of the page once, in natural order: the number of a text is also its rank.
const texts = data.texts;
const lower = texts.map((text) => text.toLowerCase());
const numberOf = new Map(texts.map((text, n) => [text, n]));
const guests = data.guests;
const findings = data.findings;

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

// Each state has its own shape, so that colour is not the only sign.
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

// A guest in the address and in words.
const keyOf = (guest) => [guests.host[guest], guests.id[guest], guests.on[guest]].map((n) => texts[n] || "").join("/").replace(/\/$/, "");

function named(guest) {
  const on = guests.on[guest] >= 0 ? "on " + texts[guests.on[guest]] : "";
  const [id, name] = [texts[guests.id[guest]], texts[guests.name[guest]]];
  return [texts[guests.host[guest]], id, name === id ? "" : name, on].filter(Boolean).map(short).join(" ");
}

// For screen readers, and for whoever looks at the button that was pressed.
const live = document.getElementById("live");
function announce(text) {
  live.textContent = "";
  // A change is spoken; the same text twice is none.
  setTimeout(() => (live.textContent = text), 30);
}
