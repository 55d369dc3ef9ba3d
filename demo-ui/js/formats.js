/** Compares the present edit in several formats: the bytes of each, and one click to take one. */

import { $, h } from "./dom.js";
import { size as bytes, t } from "./messages.js";
import { brief } from "./service.js";

const COMPARED = [["jpeg", "JPEG"], ["webp", "WebP"], ["avif", "AVIF"], ["png", "PNG"]];
const PER_FORMAT = ["format", "maxBytes", "lossless", "palette", "colors"]; // the output options that do not go with every format

export class Formats {
  constructor(app) {
    this.app = app;
    this.run = new AbortController();
    $("compare-formats").addEventListener("click", () => this.open($("formats").hidden));
  }

  open(isOpen) {
    $("formats").hidden = !isOpen;
    $("compare-formats").setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.update();
  }

  /** Fetches the formats again, if they are shown. */
  async update() {
    this.run.abort();
    if ($("formats").hidden) return;
    const { signal } = (this.run = new AbortController());
    const items = COMPARED.map(([format, name]) => this.item(format, name));
    $("formats").replaceChildren(...items.map(({ element }) => element));
    const sizes = [];
    for (const { format, figure } of items) {
      try {
        const blob = await (await this.app.rendering.ask(this.address(format), { signal })).blob();
        sizes.push([blob.size, figure]);
        figure.textContent = bytes(blob.size);
      } catch (error) {
        if (signal.aborted) return;
        figure.textContent = t(error.status === 413 ? "formats.too-large" : "formats.impossible");
        figure.title = brief(error);
      }
    }
    const smallest = Math.min(...sizes.map(([size]) => size));
    for (const [size, figure] of sizes) figure.closest("button").classList.toggle("smallest", size === smallest);
  }

  address(format) {
    const { imageRequest, language } = this.app;
    const kept = Object.entries(imageRequest.output).filter(([name]) => !PER_FORMAT.includes(name));
    return language.write({ ...imageRequest, output: { ...Object.fromEntries(kept), format } });
  }

  item(format, name) {
    const { imageRequest, rendering } = this.app;
    const isTaken = imageRequest.output.format === format;
    const figure = h("strong", {}, "…");
    const isSame = !isTaken && rendering.result?.type === `image/${format}`;
    const element = h("button", { type: "button", "aria-pressed": String(isTaken), title: isSame ? t("formats.is-result") : null, onclick: () => this.take(format) }, h("span", {}, name), figure);
    return { format, figure, element };
  }

  take(format) {
    this.app.imageRequest.output.format = format;
    this.app.changed();
  }
}
