/** The result as a file: a download, an image on the clipboard, or dragged out of the page. */

import { $, icon } from "./dom.js";
import { t } from "./messages.js";

const SHOWN_FOR = 1500; // milliseconds

export class Download {
  constructor() {
    this.blob = null;
    this.url = "";
    $("copy-image").hidden = !window.ClipboardItem;
    $("copy-image").addEventListener("click", () => this.copy());
    $("after").addEventListener("dragstart", (event) => {
      if (this.blob) event.dataTransfer.setData("DownloadURL", `${this.blob.type}:${$("download").download}:${this.url}`);
    });
  }

  /** Offers a result under a name, or nothing without one. `first`: there is no URL to copy instead. */
  offer(blob, name, first = false) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.blob = blob;
    this.url = blob ? URL.createObjectURL(blob) : "";
    $("download").hidden = !blob;
    $("copy-image").disabled = !blob?.type.startsWith("image/");
    if (blob) Object.assign($("download"), { href: this.url, download: name });
    $("download").classList.toggle("primary", first);
    $("copy").classList.toggle("primary", !first);
  }

  /** Puts the image on the clipboard, as PNG, which is all that clipboards take. */
  async copy() {
    const button = $("copy-image");
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": png($("after")) })]);
      told(button, "check", t("copied"));
    } catch (error) {
      told(button, "close", t("view.not-copied", { message: error.message }));
    }
    setTimeout(() => told(button, "copy", t("view.copy-image")), SHOWN_FOR);
  }
}

function told(button, symbol, text) {
  button.replaceChildren(icon(symbol));
  button.title = text;
  button.setAttribute("aria-label", text);
}

function png(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
