/** The request in the address bar, and the field that opens a key or a URL. */

import { h } from "./dom.js";
import { t } from "./messages.js";

// #mode.against@file/key?parameters; `file` is the id of a dropped file.
const HASH = /^#(slider|side|result)?(?:\.(original|frame))?(?:@(\w+))?(\/.*)$/s;

export class Navigation {
  constructor(app) {
    this.app = app;
    this.hash = "";
    addEventListener("hashchange", () => location.hash !== this.hash && this.isKnown && this.read());
  }

  get isKnown() {
    return HASH.test(location.hash);
  }

  /** Shows the request of the address bar. */
  async read() {
    const { app } = this;
    const [, mode, against, file, address] = HASH.exec(location.hash);
    this.hash = location.hash;
    Object.assign(app, { file: null, fileId: "" });
    app.imageRequest = app.language.read(address);
    if (app.kept) Object.assign(app.imageRequest, { bucket: "", key: app.kept.about.name });
    app.against = against ?? "";
    app.setMode(mode ?? "slider", { quiet: true });
    if (file) {
      await app.files.ready;
      if (!app.files.open(file, { push: false })) app.progress.fail({ status: 404, message: t("open.lost-file", { name: app.imageRequest.key }) });
      return;
    }
    app.opened();
  }

  /** Writes the request to the address bar. */
  write({ push = false } = {}) {
    const { mode, against, address, fileId } = this.app;
    const shown = mode === "slider" && !against ? "" : mode;
    this.hash = `#${shown}${against ? `.${against}` : ""}${fileId ? `@${fileId}` : ""}${address}`;
    if (location.hash === this.hash) return;
    try {
      history[push ? "pushState" : "replaceState"](null, "", this.hash);
    } catch {
      // Safari allows 100 changes in 10 seconds: the address bar then waits for the next change.
    }
  }

  /** Opens a key, or an address of this service in any URL language. */
  async typed(text) {
    const { app } = this;
    if (!text) return;
    const own = text.startsWith(`${location.host}/`) ? text.slice(location.host.length) : text;
    const [, host, path] = /^(?:https?:)?\/\/([^/?#]+)(.*)$/is.exec(own) ?? [];
    if (host && host.toLowerCase() !== location.host) return this.foreign(host, path || "/");
    const address = host ? path || "/" : own;
    if (app.images.bytes.has(address) || !/^\/|\?/.test(address)) return app.choose({ bucket: app.imageRequest.bucket, key: address });
    return this.openAddress(address.startsWith("/") ? address : `/${address}`);
  }

  /** Says that an address belongs to another site, whose images this service does not fetch. */
  foreign(host, path) {
    const open = h("button", { type: "button", onclick: () => this.openAddress(path) }, t("open.as-own"));
    this.app.progress.idle(t("open.foreign", { host }), open);
  }

  async openAddress(address) {
    const { app } = this;
    app.progress.busy(true, t("open.reading"));
    try {
      const { url } = await app.service.translated(address, "query");
      app.imageRequest = app.language.read(url);
    } catch (error) {
      if (error.status && ![400, 404].includes(error.status)) return app.progress.fail(error);
      app.imageRequest = app.language.read(address); // the service says what is wrong with it, at its field
    }
    Object.assign(app, { file: null, fileId: "" });
    this.write({ push: true });
    app.opened();
  }
}
