/** Light, dark or system colour scheme. */

import { $ } from "./dom.js";
import { t } from "./messages.js";

/** Applies the colour scheme of the system, or the visitor's choice, which the browser stores. */
export function theme() {
  const names = { "": "system", light: "light", dark: "dark" };
  const show = (name) => {
    if (name) document.documentElement.dataset.theme = name;
    else delete document.documentElement.dataset.theme;
    $("theme").setAttribute("aria-label", t(`theme.${names[name]}`));
  };
  show(localStorage.getItem("theme") ?? "");
  $("theme").addEventListener("click", () => {
    const order = Object.keys(names);
    const next = order[(order.indexOf(localStorage.getItem("theme") ?? "") + 1) % order.length];
    localStorage.setItem("theme", next);
    show(next);
  });
}
