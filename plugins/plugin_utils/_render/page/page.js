// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// Starts what the other files define.

function startTheme() {
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
}

function startPrint() {
  const folded = document.getElementsByTagName("details");
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...folded].filter((one) => !one.open);
    for (const one of closed) one.open = true;
    for (const one of tables) one.print(true);
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
    for (const one of tables) one.print(false);
  });
}

// What stands in for the script where there is none.
for (const one of document.querySelectorAll(".static")) one.remove();
for (const one of document.querySelectorAll(".scripted")) one.hidden = false;
startAddress();
startMap();
startCopy();
startTheme();
startPrint();
