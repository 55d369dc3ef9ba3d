/** The list of keyboard shortcuts, which `?` opens. */

import { $, h } from "./dom.js";
import { t } from "./messages.js";

const [CTRL, SHIFT, ARROWS] = [t("keys.ctrl"), t("keys.shift"), t("keys.arrows")];
/** Each entry has alternatives, and each of them keys that are pressed together. */
const SHORTCUTS = [
  [[["/"]], "keys.search"],
  [[[CTRL, "Z"]], "panel.undo"],
  [[[CTRL, SHIFT, "Z"], [CTRL, "Y"]], "panel.redo"],
  [[["Esc"]], "keys.cancel"],
  [[["+"], ["−"], ["0"]], "keys.zoom"],
  [[[ARROWS]], "keys.move"],
  [[[CTRL, "V"]], "keys.paste"],
  [[["?"]], "keys.help"],
];

export function shortcuts() {
  const keys = (together) => together.flatMap((key, index) => [index ? " + " : "", h("kbd", {}, key)]);
  $("shortcuts-list").replaceChildren(...SHORTCUTS.map(([alternatives, text]) =>
    h("div", {}, h("dt", {}, alternatives.flatMap((each, index) => [index ? ", " : "", ...keys(each)])), h("dd", {}, t(text)))));
  const open = () => $("shortcuts").showModal();
  $("shortcuts-open").addEventListener("click", open);
  $("shortcuts-close").addEventListener("click", () => $("shortcuts").close());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea") || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    open();
  });
}
