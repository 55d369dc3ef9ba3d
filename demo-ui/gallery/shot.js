/** One picture in the history: original and latest result, name, size, date, and what to do about an error. */

import { h, icon } from "../js/dom.js";
import { ago, change, minute, number, optional, size, t } from "../js/messages.js";
import { sentence } from "../js/service.js";
import { clean } from "./names.js";
import { resultName } from "./recipes.js";

const OPEN = ["uploading", "processing"];

/** Builds the element of a picture. `deeds` is {select, rename, retry, remove, recipes}. */
export function shot(picture, isSelected, deeds) {
  const { id, name, status } = picture;
  const result = picture.results?.at(-1);
  const box = h("input", { type: "checkbox", "aria-label": t("select.one", { name }), onchange: () => deeds.select(picture, box.checked) });
  box.checked = isSelected;
  const field = h("input", { class: "name", value: name, "aria-label": t("picture.name"), title: name, maxlength: 200, autocomplete: "off", spellcheck: "false" });
  nameable(field, () => picture.name, (text) => deeds.rename(picture, text));
  return h("li", { class: "shot", "data-id": id, "data-status": status },
    h("a", { class: result ? "shot-image compared" : "shot-image", href: `#/${id}${result ? `/${result.id}` : ""}`, "aria-label": t(result ? "history.open-result" : "history.open", { name, result: result ? resultName(result, deeds.recipes) : "" }) },
      pictures(picture, result), status === "ready" ? null : h("span", { class: "badge", "data-status": status }, OPEN.includes(status) ? h("span", { class: "spin" }) : null, t(`state.${status}`))),
    h("label", { class: "pick-box" }, box),
    h("div", { class: "shot-about" },
      h("div", { class: "shot-name" }, field, h("button", { type: "button", class: "icon", "aria-label": t("delete.label", { name }), title: t("delete.picture"), onclick: () => deeds.remove(picture) }, icon("bin"))),
      h("p", { class: "meta" }, h("span", {}, facts(picture)), h("time", { datetime: picture.created, title: minute(picture.created) }, ago(picture.created))),
      picture.error && !OPEN.includes(status) ? trouble(picture, deeds) : null,
    ),
  );
}

/** Shows the original left of a line and the result right of it; the line follows the mouse. */
function pictures({ original }, result) {
  if (!original) return h("span", { class: "nothing" }, icon("file"));
  const image = (url, kind) => h("img", { class: kind, src: url, alt: "", loading: "lazy", decoding: "async" });
  if (!result) return image(original.thumbnail, "whole");
  const pair = h("span", { class: "pair-view" }, image(original.thumbnail, "left"), image(result.thumbnail, "right"), h("span", { class: "line" }));
  pair.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = pair.getBoundingClientRect();
    pair.style.setProperty("--at", `${Math.round(((clientX - left) / width) * 100)}%`);
  });
  pair.addEventListener("pointerleave", () => pair.style.removeProperty("--at"));
  return pair;
}

function facts({ width, height, bytes }) {
  return [width ? `${number(width)} × ${number(height)}` : "", bytes ? size(bytes) : ""].filter(Boolean).join(" · ");
}

function trouble(picture, deeds) {
  const retry = h("button", { type: "button", "aria-label": t("retry-label", { name: picture.name }), onclick: () => deeds.retry(picture) }, t("retry"));
  return h("p", { class: "reason" }, reason(picture), picture.status === "failed" ? [" ", retry] : null);
}

/** Returns why a picture is refused or has failed, in the visitor's language if the page knows the reason. */
export const reason = ({ error }) => optional(`reason.${error.code}`, "") || sentence(error) || error.message;

/** Makes a field that is saved on Enter or when it is left, and restored on Escape. */
export function nameable(field, current, save) {
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") field.blur();
    if (event.key !== "Escape") return;
    event.stopPropagation();
    field.value = current();
    field.blur();
  });
  field.addEventListener("change", () => {
    const text = clean(field.value);
    field.value = text || current();
    if (!text) return;
    if (text !== current()) save(text);
  });
}

/** Returns how much smaller or larger a result is. */
export const saving = (bytes, picture) => (picture.bytes ? change(bytes / picture.bytes - 1) : "");
