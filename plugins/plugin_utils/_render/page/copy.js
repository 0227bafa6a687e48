// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
//
// A button beside everything that is there to be pasted. Without JavaScript the text is there to be selected.

// The clipboard is only there for pages of https and file; elsewhere the selected text is copied, which needs no leave.
async function copied(place) {
  try {
    await navigator.clipboard.writeText(place.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(place);
    return document.execCommand("copy");
  }
}

function startCopy() {
  for (const place of document.querySelectorAll("[data-copy]")) {
    const what = place.dataset.copy;
    const button = make("button", { type: "button", className: "copy", textContent: "Copy", "aria-label": "Copy " + what });
    button.addEventListener("click", async () => {
      const done = await copied(place);
      button.textContent = done ? "Copied" : "Selected";
      announce(done ? "Copied: " + what : "Selected: " + what + ". Copy it with the keyboard.");
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    place.after(button);
  }
}
