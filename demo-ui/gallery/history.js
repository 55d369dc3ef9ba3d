/** The history: a grid of the visitor's pictures, search, and what is done to several of them. */

import { $, h, quietly } from "../js/dom.js";
import { number, t } from "../js/messages.js";
import { unique } from "./names.js";
import { ask, complain, notify, say } from "./notices.js";
import { fileStem, labelOf } from "./recipes.js";
import { shot } from "./shot.js";
import { saveZip } from "./zip.js";

const AT_ONCE = 2;

export class History {
  constructor({ api, library, session, trash, uploads }) {
    Object.assign(this, { api, library, session, trash, uploads });
    this.selected = new Set();
    this.shown = new Map(); // elements by the picture's id, with the text of what they show
    library.addEventListener("change", () => this.draw());
    $("search").addEventListener("input", quietly(250, () => library.find($("search").value.trim())));
    $("more").addEventListener("click", () => library.more());
    $("select-all").addEventListener("click", () => this.selectAll(library.shown));
    $("chosen-none").addEventListener("click", () => this.selectAll([]));
    $("chosen-zip").addEventListener("click", () => this.zip());
    $("chosen-delete").addEventListener("click", () => this.remove([...this.pictures]));
    $("chosen-recipe").addEventListener("change", () => this.apply());
    $("shots").addEventListener("keydown", (event) => this.key(event));
    const choices = session.recipes.map((recipe) => h("option", { value: recipe.name }, labelOf(recipe)));
    $("chosen-recipe").replaceChildren(h("option", { value: "" }, t("select.apply")), ...choices);
  }

  get pictures() {
    return this.library.shown.filter(({ id }) => this.selected.has(id));
  }

  draw() {
    const { library } = this;
    const pictures = library.shown;
    for (const id of [...this.selected]) if (!pictures.some((each) => each.id === id)) this.selected.delete(id);
    for (const [id, { element }] of this.shown) {
      if (pictures.some((each) => each.id === id)) continue;
      element.remove();
      this.shown.delete(id);
    }
    pictures.forEach((picture, index) => this.place(picture, index));
    $("history").hidden = !library.used && !pictures.length && !library.search;
    $("nothing").hidden = pictures.length > 0 || !library.search;
    $("nothing").textContent = t("history.nothing", { search: library.search });
    $("more").hidden = !library.cursor;
    this.drawSelection();
  }

  /** Shows a picture at its place; one that has not changed is left alone, with the focus in it. */
  place(picture, index) {
    const text = JSON.stringify(picture);
    let shown = this.shown.get(picture.id);
    if (shown?.text !== text) {
      const old = shown?.element;
      if (old?.contains(document.activeElement) && document.activeElement.matches(".name")) return; // while it is being renamed
      const element = shot(picture, this.selected.has(picture.id), this.deeds);
      const focused = old?.contains(document.activeElement) ? document.activeElement.classList[0] : null;
      old?.remove();
      shown = { element, text, focused };
      this.shown.set(picture.id, shown);
    }
    const at = $("shots").children[index];
    if (at !== shown.element) $("shots").insertBefore(shown.element, at ?? null);
    if (shown.focused) shown.element.querySelector(`.${shown.focused}`)?.focus();
    shown.focused = null;
  }

  get deeds() {
    return {
      recipes: this.session.recipes,
      select: (picture, is) => this.select(picture, is),
      remove: (picture) => this.remove([picture]),
      rename: (picture, name) => this.change(() => this.api.rename(picture.id, name), t("picture.renamed", { name })),
      retry: (picture) => this.change(() => this.api.retry(picture.id), t("history.retried", { name: picture.name })),
    };
  }

  async change(call, text) {
    try {
      this.library.put(await call());
      say(text);
    } catch (error) {
      complain(error);
      this.shown.clear(); // shows again what the server has
      $("shots").replaceChildren();
      this.draw();
    }
  }

  remove(pictures) {
    const first = $("shots").querySelector(`[data-id="${pictures[0].id}"]`);
    const next = first?.nextElementSibling ?? first?.previousElementSibling;
    this.trash.pictures(pictures);
    (next?.isConnected ? next.querySelector("a") : $("main")).focus();
  }

  key(event) {
    if (event.key === "Delete" && event.target.matches(".shot-image")) {
      const picture = this.library.get(event.target.closest(".shot").dataset.id);
      if (picture) this.remove([picture]);
    }
  }

  // --- several pictures

  select({ id }, is) {
    if (is) this.selected.add(id);
    else this.selected.delete(id);
    this.drawSelection();
  }

  selectAll(pictures) {
    this.selected = new Set(pictures.map(({ id }) => id));
    for (const [id, { element }] of this.shown) element.querySelector(".pick-box input").checked = this.selected.has(id);
    this.drawSelection();
  }

  drawSelection() {
    const count = this.selected.size;
    $("chosen").hidden = !count;
    $("shots").classList.toggle("selecting", count > 0);
    $("select-all").hidden = this.library.shown.length < 2;
    if (count) $("chosen-count").textContent = t("select.count", { count });
  }

  async apply() {
    const name = $("chosen-recipe").value;
    const recipe = this.session.recipes.find((each) => each.name === name);
    $("chosen-recipe").value = "";
    if (!recipe) return;
    const pictures = this.pictures.filter(({ status }) => status === "ready");
    const values = { recipe: labelOf(recipe), count: pictures.length };
    if (pictures.length > 10 && recipe.isExpensive && !(await ask(t("select.sure", values), t("select.sure-note"), t("select.yes")))) return;
    notify(t("select.applying", values));
    const failed = await this.each(pictures, (picture) => this.api.apply(picture.id, { recipe: name }));
    this.library.changed();
    notify(failed.length ? t("select.failed", { ...values, failed: number(failed.length), message: failed[0].message }) : t("select.applied", values), { bad: failed.length > 0 });
  }

  /** Does the same for each picture, two at a time, and returns the errors. */
  async each(pictures, call) {
    const waiting = [...pictures];
    const errors = [];
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await call(next).catch((error) => errors.push(error));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const error of errors) if (!("status" in error)) throw error;
    return errors;
  }

  /** Saves the results of the selected pictures; of one without results, the original. */
  async zip() {
    const entries = this.pictures.flatMap((picture) => this.entries(picture));
    if (!entries.length) return notify(t("select.none-ready"), { bad: true });
    const failed = [];
    notify(t("zip.started", { count: entries.length }));
    await saveZip(`${t("zip.name")}.zip`, unique(entries), (told) => told.failed && failed.push(told.failed));
    if (failed.length) notify(t("zip.failed", { names: failed.join(", ") }), { bad: true });
    else say(t("zip.done"));
  }

  entries(picture) {
    if (!picture.original) return [];
    const entry = (result, url) => ({ name: fileStem(picture, result, this.session.recipes), url: new URL(url, location.href).href });
    return picture.results.length ? picture.results.map((result) => entry(result, result.url)) : [entry(null, picture.original.url)];
  }
}
