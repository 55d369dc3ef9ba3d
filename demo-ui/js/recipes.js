/** The examples above the image: each replaces the edits with its own. */

import { empty } from "./address.js";
import { $, h } from "./dom.js";
import { t } from "./messages.js";

export class Recipes {
  constructor(app) {
    this.app = app;
    this.pressed = [];
  }

  show() {
    const recipes = this.app.catalogue.recipes.filter((recipe) => this.isPossible(recipe) && !this.reason(recipe));
    const all = [...this.app.own.all(), ...recipes];
    const buttons = all.map((recipe) => h("button", { type: "button", "aria-pressed": "false", onclick: () => this.take(recipe) }, recipe.title));
    const more = h("button", { type: "button", class: "more", "aria-haspopup": "dialog", onclick: () => this.app.examples.open() }, t("examples.all"));
    $("recipes").replaceChildren(more, ...buttons);
    this.pressed = all.map((recipe, index) => [buttons[index], recipe]);
  }

  /** Whether an example is for one image alone, where the editor has a picture of the gallery. */
  isPossible({ query }) {
    return !this.app.kept || !/\{logo\}|report|info/.test(query);
  }

  /** Returns why the service cannot serve an example, or "". */
  reason(recipe) {
    const imageRequest = empty();
    this.app.language.apply(imageRequest, this.pairsOf(recipe));
    return this.app.capabilities.reasonOfRequest(imageRequest, this.app.catalogue.features);
  }

  async take(recipe) {
    const { app } = this;
    if (recipe.query.includes("{half}")) await app.rendering.learnt();
    app.apply(this.pairsOf(recipe));
  }

  pairsOf({ query }) {
    const { images, rendering } = this.app;
    const half = Math.max(200, Math.round((rendering.original?.bytes ?? 40_000) / 2));
    // An overlay is stored in the source of the images, which may not be the default source.
    const { bucket } = images;
    const bucketOf = ([name, value]) => bucket && value === "{logo}" ? [[`${name.split(".")[0]}.bucket`, bucket]] : [];
    const pairs = [...new URLSearchParams(query)].flatMap((pair) => [pair, ...bucketOf(pair)]);
    return pairs.map(([name, value]) => [name, value.replace("{logo}", images.overlay()).replace("{half}", String(half))]);
  }

  /** Marks the example that equals the current request. */
  press() {
    const { language, imageRequest, address } = this.app;
    for (const [button, recipe] of this.pressed) {
      const theirs = empty();
      language.apply(theirs, this.pairsOf(recipe));
      const same = language.write({ ...theirs, key: imageRequest.key, bucket: imageRequest.bucket }) === address;
      button.setAttribute("aria-pressed", String(same));
    }
  }
}
