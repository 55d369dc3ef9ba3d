/** All examples as a gallery: grouped, each as a thumbnail of the visitor's own image. */

import { empty } from "./address.js";
import { GROUPS } from "./card.js";
import { englishLabel, label } from "./catalogue.js";
import { $, h, icon, isLocal } from "./dom.js";
import { t } from "./messages.js";
import { brief } from "./service.js";

const AT_ONCE = 2; // thumbnails that are fetched at a time
const SIDE = 160;
const OUTPUT = { format: "webp", quality: 70, effort: 0 };

export class Examples {
  constructor(app) {
    this.app = app;
    this.run = new AbortController();
    this.urls = [];
    $("examples-close").addEventListener("click", () => $("examples").close());
    $("examples").addEventListener("close", () => this.run.abort());
    $("examples-search").addEventListener("input", () => this.search());
  }

  open() {
    const { app } = this;
    this.run = new AbortController();
    for (const url of this.urls.splice(0)) URL.revokeObjectURL(url);
    const { features, examples } = app.catalogue;
    const groupOf = ({ feature }) => features.find(({ name }) => name === feature)?.group ?? "output";
    const own = app.own.all();
    const groups = [[t("examples.yours"), own], ...Object.entries(GROUPS).map(([group, title]) => [title, examples.filter((example) => app.recipes.isPossible(example) && groupOf(example) === group)])];
    const waiting = [];
    $("examples-list").replaceChildren(...groups.filter(([, list]) => list.length).map(([title, list]) =>
      h("section", {}, h("h3", {}, title), h("ul", { class: "example-grid" }, list.map((example) => this.item(example, waiting))))));
    $("examples-search").value = "";
    $("examples").showModal();
    for (let each = 0; each < AT_ONCE; each += 1) this.load(waiting, this.run.signal);
  }

  item(example, waiting) {
    const { app } = this;
    const reason = app.recipes.reason(example);
    const image = h("img", { alt: "", width: 120, height: 90, onload: () => image.classList.toggle("there", !image.matches(".plain")) });
    const imageRequest = this.requestOf(example);
    if (!reason && imageRequest) waiting.push([image, app.language.write(imageRequest)]);
    else if (app.images.thumbnail(app.imageRequest.key)) Object.assign(image, { src: app.images.thumbnail(app.imageRequest.key), className: "plain" });
    const take = () => {
      $("examples").close();
      app.recipes.take(example);
    };
    const { title } = example;
    const words = [title, label(example.feature ?? ""), englishLabel(example.feature ?? ""), example.query];
    return h("li", { "data-words": words.join(" ").toLowerCase() },
      h("button", { type: "button", class: "thumb", disabled: Boolean(reason), title: reason || example.query, onclick: take }, image, h("span", {}, title), reason && h("small", {}, reason)),
      example.own && h("button", { type: "button", class: "icon forget", "aria-label": t("examples.delete-label", { name: title }), title: t("examples.delete"), onclick: ({ currentTarget }) => { app.own.remove(example); currentTarget.parentElement.remove(); } }, icon("close")));
  }

  /** Returns the request of a thumbnail, or null for what takes a model, a billed call, or an upload of a file each. */
  requestOf(example) {
    const { app } = this;
    const { bucket, key } = app.imageRequest;
    const imageRequest = { ...empty(), bucket, key };
    app.language.apply(imageRequest, app.recipes.pairsOf(example));
    Object.assign(imageRequest, { bucket, key, output: OUTPUT });
    const costs = app.catalogue.features.some(({ name, expensive, billed, group }) => imageRequest.edits[name] && (expensive || billed || group === "report" || name === "cutout"));
    if (!key || costs || (app.file && !isLocal)) return null;
    imageRequest.edits.resize ??= { width: SIDE };
    return imageRequest;
  }

  async load(waiting, signal) {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const [image, address] = next;
      try {
        const blob = await (await this.app.rendering.ask(address, { signal })).blob();
        if (signal.aborted) return;
        this.urls.push((image.src = URL.createObjectURL(blob)));
      } catch (error) {
        if (!signal.aborted) image.title = brief(error); // the example tells it when it is taken
      }
    }
  }

  search() {
    const words = $("examples-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of $("examples-list").querySelectorAll("li")) item.hidden = !words.every((word) => item.dataset.words.includes(word));
    for (const section of $("examples-list").children) section.hidden = !section.querySelector("li:not([hidden])");
  }
}
