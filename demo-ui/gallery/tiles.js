/** The recipes as large tiles, each with a preview of the visitor's own picture. */

import { $, h, icon } from "../js/dom.js";
import { isTemporary } from "./api.js";
import { change, t } from "../js/messages.js";
import { isOutputOnly, labelOf } from "./recipes.js";

const SIDE = 320; // pixels: the longer side of a preview
const TRIES = 3;
const PAUSE = 2000; // milliseconds before a preview is tried again

export class Tiles {
  /** `choose({recipe, result})` is called for a tile, `remove(result)` for the button that deletes its result. */
  constructor({ api, session, choose, remove }) {
    Object.assign(this, { api, session, choose, remove });
    this.previews = new Map(); // by picture and recipe: {url, saving}
    this.run = new AbortController();
    this.picture = null;
  }

  /** Shows the tiles of a picture, and fetches their previews. */
  show(picture, chosen) {
    const isOther = this.picture?.id !== picture.id || this.picture.status !== picture.status;
    const before = document.activeElement?.closest?.("#tiles li")?.dataset.tile;
    this.picture = picture;
    const results = picture.results ?? [];
    const own = results.filter(({ recipe }) => !this.session.recipes.some(({ name }) => name === recipe));
    const tiles = this.session.recipes.map((recipe) => this.tile({ recipe, result: results.find((each) => each.recipe === recipe.name) }, chosen));
    $("tiles").replaceChildren(...tiles, ...own.map((result, index) => this.tile({ result, index: own.length > 1 ? index + 1 : 0 }, chosen)));
    if (before) $("tiles").querySelector(`[data-tile="${before}"] button`)?.focus();
    $("tiles-note").textContent = picture.status === "ready" ? t("recipes.note") : "";
    if (isOther) this.preview();
  }

  hide() {
    this.run.abort();
    this.picture = null;
    $("tiles").replaceChildren();
  }

  tile({ recipe, result, index = 0 }, chosen) {
    const name = recipe ? labelOf(recipe) : `${result.recipe ? labelOf({ name: result.recipe }) : t("recipes.own")}${index ? ` ${index}` : ""}`;
    const key = recipe?.name ?? result.id;
    const isReady = this.picture.status === "ready";
    const image = h("img", { alt: "", width: 160, height: 120, decoding: "async", hidden: true });
    image.addEventListener("load", () => (image.hidden = false));
    const saving = h("span", { class: "tile-saving" });
    const button = h("button", { type: "button", class: "tile", "aria-pressed": String(key === chosen), disabled: !isReady, onclick: () => this.choose({ recipe, result }) },
      h("span", { class: "tile-image" }, image, saving), h("span", { class: "tile-name" }, result ? icon("check") : null, h("span", {}, name)));
    const bin = result ? h("button", { type: "button", class: "icon tile-bin", "aria-label": t("delete.result-label", { name }), title: t("delete.result"), onclick: () => this.remove(result, name) }, icon("close")) : null;
    const element = h("li", { "data-tile": key, "data-state": isReady ? "" : "waiting" }, button, bin);
    if (isReady) this.fill(element, recipe ? this.previews.get(this.key(recipe)) : { url: result.thumbnail });
    return element;
  }

  key = (recipe) => `${this.picture.id} ${recipe.name}`;

  fill(element, preview) {
    if (!preview) return void (element.dataset.state = "waiting");
    element.dataset.state = preview.url ? "" : "failed";
    if (preview.url) element.querySelector("img").src = preview.url;
    if (preview.saving) element.querySelector(".tile-saving").textContent = preview.saving;
  }

  /**
   * Fetches the previews: the cheap ones all at once, and beside them those with a model one after the other, since a model
   * takes every processor, and the second recipe that cuts out needs the mask of the first.
   */
  async preview() {
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    const { picture } = this;
    if (picture.status !== "ready") return;
    const { recipes } = this.session;
    const inOrder = async () => {
      for (const recipe of recipes) if (recipe.isExpensive) await this.previewOf(recipe, picture, signal);
    };
    await Promise.all([...recipes.filter(({ isExpensive }) => !isExpensive).map((recipe) => this.previewOf(recipe, picture, signal)), inOrder()]);
  }

  async previewOf(recipe, picture, signal) {
    if (signal.aborted) return;
    const key = this.key(recipe);
    if (!this.previews.get(key)?.url) {
      const preview = await this.load(recipe, picture, signal);
      if (signal.aborted) return;
      this.previews.set(key, preview);
    }
    const element = $("tiles").querySelector(`[data-tile="${recipe.name}"]`);
    if (element) this.fill(element, this.previews.get(key));
  }

  /** Fetches one preview as an object URL; {url: ""} if there is none. */
  async load(recipe, picture, signal) {
    // The bytes of a recipe that changes the file alone are compared with the original's, at the same size.
    const whole = isOutputOnly(recipe);
    for (let attempt = 0; attempt < TRIES && !signal.aborted; attempt += 1) {
      try {
        const { url } = await this.api.preview(picture.id, { recipe: recipe.name, ...(whole ? {} : { side: SIDE }) }, signal);
        const blob = await this.api.bytes(url, signal);
        const saving = whole && picture.bytes ? change(blob.size / picture.bytes - 1) : "";
        return { url: whole ? picture.original.thumbnail : URL.createObjectURL(blob), saving };
      } catch (error) {
        if (signal.aborted) break;
        if (!("status" in error)) throw error;
        if (!isTemporary(error)) break;
        await new Promise((resolve) => setTimeout(resolve, Math.max(PAUSE, error.retryAfter * 1000)));
      }
    }
    return { url: "", saving: "" };
  }

  /** Returns the URL of the preview that is shown for a recipe, if it is there. */
  shown = (recipe) => this.previews.get(this.key(recipe))?.url ?? "";
}
