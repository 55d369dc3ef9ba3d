/** Chooses an image of the source by its picture, for a parameter that takes a key. */

import { $, h } from "./dom.js";
import { t } from "./messages.js";

export class Chooser {
  constructor(images) {
    this.images = images;
    $("chooser-close").addEventListener("click", () => $("chooser").close());
    $("chooser-search").addEventListener("input", () => this.search());
  }

  /** Shows the listed images; `take(key)` gets the one that is chosen. */
  open(take) {
    const { images } = this;
    const item = (key) => {
      const image = h("img", { alt: "", width: 120, height: 90, loading: "lazy", src: images.thumbnail(key) || images.thumbAddress(key), onload: () => image.classList.add("there") });
      const choose = () => {
        $("chooser").close();
        take(key);
      };
      return h("li", {}, h("button", { type: "button", class: "thumb", title: key, "data-key": key, onclick: choose }, image, h("span", {}, key.split("/").pop())));
    };
    $("chooser-list").replaceChildren(...images.keys.map(item));
    $("chooser-none").hidden = images.keys.length > 0;
    $("chooser-none").textContent = t("overlay.none");
    $("chooser-search").value = "";
    $("chooser").showModal();
  }

  search() {
    const text = $("chooser-search").value.toLowerCase();
    for (const button of $("chooser-list").querySelectorAll("[data-key]")) button.parentElement.hidden = !button.dataset.key.toLowerCase().includes(text);
  }
}
