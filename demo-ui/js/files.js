/** Dropped files: a strip of them beside the images of the source, and the one that is edited. */

import { $, h, icon } from "./dom.js";
import { t } from "./messages.js";
import { shrunk } from "./shrink.js";
import { Store } from "./store.js";

const UPLOADED = 4_000_000; // bytes, where the service does not tell its limit: Lambda takes a little more
const SHARE = 0.95; // of the limit: headers count too

export class Files {
  constructor(app) {
    this.app = app;
    this.store = new Store();
    this.urls = new Map();
    this.ready = this.store.load().then(() => this.show());
  }

  /** Takes dropped, pasted or chosen files and opens the first. */
  async take(files) {
    const { app } = this;
    if (app.kept || !files.length) return;
    app.service.refused = false; // a dropped file may ask for the token again
    const signal = app.rendering.restart();
    app.progress.busy(true, t("files.reading"));
    const added = [];
    const refused = [];
    await this.ready;
    for (const file of files) {
      try {
        if (!file.size) throw new Error(t("files.empty", { name: file.name }));
        added.push(await this.store.add(await shrunk(file, await this.limit())));
      } catch (error) {
        refused.push(error.message);
      }
    }
    this.show();
    $("file").value = "";
    if (signal.aborted) return;
    if (!added.length) return app.progress.fail({ status: files.some(({ size }) => size) ? 413 : 415, message: refused.join(" ") });
    this.open(added[0].id);
    const lost = this.store.lasts ? "" : t("files.not-kept");
    app.hint([...refused, lost].filter(Boolean).join(" "));
  }

  async limit() {
    await this.app.capabilities.ready;
    const { uploadBytes } = this.app.capabilities.limits;
    return uploadBytes ? uploadBytes * SHARE : UPLOADED;
  }

  /** Edits a kept file. Returns whether there is one with this id. */
  open(id, { push = true } = {}) {
    const { app } = this;
    const record = this.store.get(id);
    if (!record) return false;
    Object.assign(app, { file: record.file, fileId: id, note: record.note, reducedFrom: record.from });
    Object.assign(app.imageRequest, { bucket: "", key: record.file.name });
    if (push) app.navigation.write({ push: true });
    app.opened();
    return true;
  }

  async remove(id) {
    await this.store.remove(id);
    this.show();
    if (this.app.fileId !== id) return;
    const [next] = this.store.records;
    if (next) this.open(next.id);
    else this.app.choose({ bucket: this.app.images.bucket, key: this.app.images.photo() });
  }

  show() {
    const { records } = this.store;
    $("dropped").hidden = !records.length;
    $("dropped").replaceChildren(...records.map((record) => this.item(record)).reverse());
    this.mark();
  }

  item({ id, file }) {
    if (!this.urls.has(id)) this.urls.set(id, URL.createObjectURL(file));
    const image = h("img", { alt: "", width: 120, height: 90, decoding: "async", src: this.urls.get(id), onload: () => image.classList.add("there") });
    return h("li", {},
      h("button", { type: "button", class: "thumb", title: file.name, "data-file": id, onclick: () => this.open(id) }, image, h("span", {}, file.name)),
      h("button", { type: "button", class: "icon forget", "aria-label": t("images.forget", { name: file.name }), title: t("remove"), onclick: () => this.remove(id) }, icon("close")));
  }

  mark() {
    for (const button of $("dropped").querySelectorAll(".thumb")) {
      if (button.dataset.file === this.app.fileId) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
}
