/** The pages of the documentation: search, copy buttons, and the place in the contents of the page. */

import { makeSearch } from "./docs-search.js";
import { $, h } from "./dom.js";
import { theme } from "./theme.js";

const COPIED = 1600; // milliseconds for which a button says so

/** Adds a button that copies to each block of code. */
function addCopyButtons(root = document) {
  for (const block of root.querySelectorAll(".listing")) {
    const button = h("button", { type: "button", "aria-label": "Copy the code" }, "Copy");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), COPIED);
    });
    block.append(button);
  }
}

/** Lets the keyboard scroll what is wider than the page. */
function focusWideParts() {
  for (const part of document.querySelectorAll("article .scroll, .listing pre")) {
    if (part.scrollWidth <= part.clientWidth) {
      if (part.getAttribute("role") === "group") for (const name of ["tabindex", "role", "aria-label"]) part.removeAttribute(name);
      continue;
    }
    part.tabIndex = 0;
    part.setAttribute("role", "group");
    part.setAttribute("aria-label", part.matches("pre") ? "Code" : "Table");
  }
}

/** Marks the section in sight in the contents of the page. */
function followSections() {
  const links = new Map([...$("sections").querySelectorAll("a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const headings = [...links.keys()].map((id) => $(id)).filter(Boolean);
  if (!headings.length) return;
  const mark = () => {
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top < 140);
    // The last sections are too short to reach the top.
    const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const chosen = isAtEnd && headings.find(({ id }) => id === decodeURIComponent(location.hash.slice(1)));
    const current = links.get((chosen || (isAtEnd ? headings : passed).at(-1) || headings[0]).id);
    if (current.hasAttribute("aria-current")) return;
    for (const link of links.values()) link.removeAttribute("aria-current");
    current.setAttribute("aria-current", "true");
    const list = $("sections");
    if (list.scrollHeight > list.clientHeight) list.scrollTop = current.offsetTop - list.clientHeight / 2;
  };
  new IntersectionObserver(mark, { rootMargin: "-140px 0px 0px 0px", threshold: [0, 1] }).observe(headings[0]);
  addEventListener("scroll", mark, { passive: true });
  mark();
}

/** Closes the popovers when one of their links is followed, and shows the current page in the sidebar. */
function preparePanels() {
  for (const panel of document.querySelectorAll("[popover]"))
    panel.addEventListener("click", (event) => {
      if (event.target.closest("a") && panel.matches(":popover-open")) panel.hidePopover();
    });
  const sidebar = $("sidebar");
  const current = sidebar.querySelector("[aria-current]");
  if (current) sidebar.scrollTop = current.offsetTop - sidebar.clientHeight / 2;
}

theme();
addCopyButtons();
focusWideParts();
addEventListener("resize", focusWideParts);
followSections();
preparePanels();
if ($("find").dataset.index) makeSearch($("find").dataset.index);
document.documentElement.dataset.ready = "true";
