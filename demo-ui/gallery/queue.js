/** The list of uploads that are under way or need a decision. */

import { $, h, icon } from "../js/dom.js";
import { number, t } from "../js/messages.js";
import { ACTIVE } from "./uploads.js";

const DONE_FOR = 2500; // milliseconds for which a finished upload stays in the list

export class Queue {
  /** `open(picture)` shows a picture. */
  constructor(uploads, open) {
    this.uploads = uploads;
    this.open = open;
    this.rows = new Map();
    uploads.addEventListener("change", () => this.draw());
    uploads.addEventListener("done", ({ item }) => setTimeout(() => uploads.clear([item]), DONE_FOR));
    $("queue-clear").addEventListener("click", () => uploads.clear());
    addEventListener("offline", () => this.draw());
  }

  draw() {
    const { items } = this.uploads;
    for (const [item, row] of this.rows) {
      if (items.includes(item)) continue;
      URL.revokeObjectURL(row.url);
      row.element.remove();
      this.rows.delete(item);
    }
    for (const item of items) {
      if (!this.rows.has(item)) this.rows.set(item, this.build(item));
      this.show(item, this.rows.get(item));
    }
    $("queue").hidden = !items.length;
    $("queue-clear").hidden = items.length < 2 || items.some(({ state }) => ACTIVE.includes(state));
  }

  build(item) {
    const url = URL.createObjectURL(item.file);
    const image = h("img", { src: url, alt: "", width: 44, height: 44, onerror: () => image.replaceWith(icon("file")) });
    const bar = h("progress", { max: 1, value: 0, "aria-label": t("upload.progress", { name: item.name }) });
    const text = h("span", { class: "queue-text" });
    const buttons = h("span", { class: "queue-buttons" });
    const element = h("li", {}, h("span", { class: "queue-image" }, image), h("span", { class: "queue-about" }, h("strong", {}, item.name), bar, text), buttons);
    $("queue-list").append(element);
    return { element, bar, text, buttons, url, state: "" };
  }

  show(item, row) {
    row.bar.value = item.progress;
    row.bar.hidden = item.state !== "sending";
    row.text.textContent = describe(item);
    row.element.dataset.state = item.state;
    const state = `${item.state} ${item.isFinal ?? ""}`;
    if (row.state === state) return;
    row.state = state;
    const hadFocus = row.element.contains(document.activeElement);
    row.buttons.replaceChildren(...this.buttons(item));
    if (hadFocus) row.buttons.firstElementChild?.focus();
  }

  buttons(item) {
    const { uploads } = this;
    const button = (key, run, symbol = "") =>
      h("button", { type: "button", class: symbol ? "icon" : null, "aria-label": t(`${key}-label`, { name: item.name }), title: symbol ? t(key) : null, onclick: run }, symbol ? icon(symbol) : t(key));
    const dismiss = button("upload.dismiss", () => uploads.clear([item]), "close");
    if (item.state === "duplicate") {
      const earlier = () => {
        uploads.clear([item]);
        this.open(item.earlier);
      };
      return [button("upload.open-earlier", earlier), button("upload.keep-both", () => uploads.keepBoth(item)), dismiss];
    }
    if (item.state === "done") return [];
    if (item.state === "paused") return [button("upload.retry", () => uploads.retry(item)), button("upload.cancel", () => uploads.cancel(item), "close")];
    if (ACTIVE.includes(item.state)) return [button("upload.cancel", () => uploads.cancel(item), "close")];
    return [item.isFinal ? null : button("upload.retry", () => uploads.retry(item)), dismiss].filter(Boolean);
  }
}

/** Returns the state of an upload in words. */
export function describe(item) {
  const { state, progress, error } = item;
  if (state === "sending") return progress >= 1 ? t("upload.stored") : t("upload.sending", { percent: number(Math.round(progress * 100)) });
  if (state === "paused") return navigator.onLine ? `${error.message} ${t("upload.again-soon")}` : t("upload.offline");
  if (state === "duplicate") return t("upload.duplicate", { name: item.earlier?.name ?? "" });
  if (state === "failed") return error.message;
  return t(`upload.${state}`);
}
