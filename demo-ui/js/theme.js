/** Light, dark, or as the system has it. */

import { $ } from "./dom.js";

/** The colour scheme: the system's, or the visitor's own choice, kept by his browser. */
export function theme() {
  const names = { "": "as the system has it", light: "light", dark: "dark" };
  const show = (name) => {
    if (name) document.documentElement.dataset.theme = name;
    else delete document.documentElement.dataset.theme;
    $("theme").setAttribute("aria-label", `Colour scheme: ${names[name]}`);
  };
  show(localStorage.getItem("theme") ?? "");
  $("theme").addEventListener("click", () => {
    const order = Object.keys(names);
    const next = order[(order.indexOf(localStorage.getItem("theme") ?? "") + 1) % order.length];
    localStorage.setItem("theme", next);
    show(next);
  });
}
