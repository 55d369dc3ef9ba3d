/** The widths of a srcset, as images with their bytes. */

import { $, h } from "./dom.js";
import { size, t } from "./messages.js";
import { brief } from "./service.js";

const SHOWN = 6;

export class Responsive {
  /** `ask(address, {signal})` returns the answer of the service. */
  constructor(ask) {
    this.ask = ask;
    this.run = new AbortController();
    this.urls = [];
  }

  hide() {
    this.run.abort();
    $("widths").hidden = true;
  }

  /** Shows the images of [[width, address]…], each in proportion to its width. */
  async show(entries) {
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    for (const url of this.urls.splice(0)) URL.revokeObjectURL(url);
    const widest = Math.max(...entries.map(([width]) => width));
    const items = entries.slice(0, SHOWN).map(([width, address]) => {
      const image = h("img", { alt: t("code.wide", { width: String(width) }) });
      image.style.width = `${Math.max(8, (width / widest) * 96)}px`;
      const figure = h("small", {}, "…");
      return { address, image, figure, element: h("li", {}, image, h("span", {}, `${width}w`), figure) };
    });
    $("widths").replaceChildren(...items.map(({ element }) => element));
    $("widths").hidden = false;
    await Promise.all(items.map(async ({ address, image, figure }) => {
      try {
        const blob = await (await this.ask(address, { signal })).blob();
        if (signal.aborted) return;
        image.src = URL.createObjectURL(blob);
        this.urls.push(image.src);
        figure.textContent = size(blob.size);
      } catch (error) {
        if (!signal.aborted) figure.textContent = brief(error);
      }
    }));
  }
}
