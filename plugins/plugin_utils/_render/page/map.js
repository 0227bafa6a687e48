// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// The map of all guests: one path per state, however many guests there are. It works by pointer, and by keyboard as a
// list with one stop: arrow keys move, Enter shows the guest.

function startMap() {
  const map = document.getElementById("map");
  if (!guests.id.length) return;
  map.hidden = false;
  const box = map.querySelector(".scroll");
  const tip = make("div", { id: "tip", hidden: true, "aria-hidden": "true" });
  document.body.append(tip);
  // A screen reader speaks when another element becomes the active one: two take turns.
  const options = ["map-a", "map-b"].map((id) => make("div", { id, className: "ring", role: "option", hidden: true }));
  let blocks = [];
  let cell = 12;
  let at = -1;

  function draw() {
    const width = Math.max(box.clientWidth - 2, 200);
    cell = guests.id.length > 1500 ? 9 : 14;
    const narrow = width < 600;
    const left = narrow ? 2 : 150;
    const across = Math.max(Math.floor((width - left) / cell), 1);
    const paths = data.states.map(() => []);
    const root = svg("svg", { "aria-hidden": "true" });
    blocks = [];
    let y = 2;
    for (let start = 0; start < guests.id.length; ) {
      let end = start;
      while (end < guests.id.length && guests.host[end] === guests.host[start]) end++;
      const name = texts[guests.host[start]] || data.no_host;
      const label = svg("text", { x: 0, y: y + 11 });
      label.textContent = name.length > 20 && !narrow ? name.slice(0, 19) + "~" : name;
      root.append(label);
      if (narrow) y += 17;
      blocks.push({ y, start, end, left, across });
      for (let guest = start; guest < end; guest++) {
        const place = guest - start;
        paths[guests.state[guest]].push(shape(stateOf(guest), left + (place % across) * cell, y + Math.floor(place / across) * cell, cell - 2));
      }
      y += Math.max(Math.ceil((end - start) / across) * cell, 14) + 6;
      start = end;
    }
    paths.forEach((list, n) => root.append(svg("path", { class: data.states[n][0], d: list.join(""), "fill-rule": "evenodd" })));
    root.setAttribute("width", width);
    root.setAttribute("height", y);
    root.setAttribute("viewBox", "0 0 " + width + " " + y);
    root.addEventListener("pointermove", (event) => point(under(event, root), event.clientX, event.clientY));
    root.addEventListener("pointerleave", () => (tip.hidden = true));
    root.addEventListener("click", (event) => enter(under(event, root)));
    box.replaceChildren(root, ...options);
    if (at >= 0) place(at);
  }

  const blockOf = (guest) => blocks.findIndex((block) => guest < block.end);

  function under(event, root) {
    const area = root.getBoundingClientRect();
    const x = event.clientX - area.left;
    const y = event.clientY - area.top;
    for (const block of blocks) {
      const column = Math.floor((x - block.left) / cell);
      const guest = block.start + Math.floor((y - block.y) / cell) * block.across + column;
      if (y >= block.y && x >= block.left && column < block.across && guest >= block.start && guest < block.end) return guest;
    }
    return -1;
  }

  function words(guest) {
    const why = guests.reason[guest] >= 0 ? ": " + texts[guests.reason[guest]] : "";
    return named(guest) + ", " + data.states[guests.state[guest]][1] + why;
  }

  function point(guest, x, y) {
    tip.hidden = guest < 0;
    if (guest < 0) return;
    tip.textContent = words(guest);
    tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = Math.min(y + 14, innerHeight - tip.offsetHeight - 8) + "px";
  }

  function enter(guest) {
    if (guest < 0) return;
    tip.hidden = true;
    at = guest;
    visit("guests", { guest: keyOf(guest) });
  }

  // The ring around a guest.
  function place(guest) {
    const block = blocks[blockOf(guest)];
    const number = guest - block.start;
    const [next, last] = options[0].hidden ? options : [options[1], options[0]];
    last.hidden = true;
    last.removeAttribute("aria-selected");
    next.hidden = false;
    next.setAttribute("aria-label", words(guest));
    next.setAttribute("aria-selected", "true");
    next.setAttribute("aria-posinset", guest + 1);
    next.setAttribute("aria-setsize", guests.id.length);
    next.style.left = block.left + (number % block.across) * cell - 2 + "px";
    next.style.top = block.y + Math.floor(number / block.across) * cell - 2 + "px";
    next.style.width = next.style.height = cell + 2 + "px";
    box.setAttribute("aria-activedescendant", next.id);
    at = guest;
    return next;
  }

  function move(guest) {
    const ring = place(guest);
    ring.scrollIntoView({ block: "nearest", inline: "nearest" });
    const area = ring.getBoundingClientRect();
    point(guest, area.right, area.bottom);
  }

  // The guest in the row above (by -1) or below (by 1), in the same column where there is one.
  function vertical(by) {
    const number = blockOf(at);
    const block = blocks[number];
    const column = (at - block.start) % block.across;
    const row = Math.floor((at - block.start) / block.across) + by;
    const last = Math.floor((block.end - block.start - 1) / block.across);
    if (row >= 0 && row <= last) return Math.min(block.start + row * block.across + column, block.end - 1);
    const other = blocks[number + by];
    if (!other) return at;
    const first = by > 0 ? other.start : other.start + Math.floor((other.end - other.start - 1) / other.across) * other.across;
    return Math.min(first + column, other.end - 1);
  }

  const clamp = (n, most) => Math.max(0, Math.min(n, most));
  const jump = (by) => blocks[clamp(blockOf(at) + by, blocks.length - 1)].start;
  const steps = {
    ArrowRight: () => clamp(at + 1, guests.id.length - 1),
    ArrowLeft: () => clamp(at - 1, guests.id.length - 1),
    ArrowDown: () => vertical(1),
    ArrowUp: () => vertical(-1),
    PageDown: () => jump(1),
    PageUp: () => jump(-1),
    Home: () => 0,
    End: () => guests.id.length - 1,
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = Object.hasOwn(steps, event.key) && steps[event.key];
    if (step) move(step());
    else if (event.key === "Enter" || event.key === " ") enter(at);
    else if (event.key === "Escape") tip.hidden = true;
    else return;
    event.preventDefault();
  });
  box.addEventListener("focus", () => box.matches(":focus-visible") && move(Math.max(at, 0)));
  box.addEventListener("blur", () => (tip.hidden = true));

  draw();
  let drawn = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === drawn) return;
    drawn = innerWidth;
    draw();
  });
}
