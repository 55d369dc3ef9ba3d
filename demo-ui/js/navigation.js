/** The request in the address bar, and the field that opens a key or a URL. */

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
    app.wish = app.language.read(address);
    if (app.kept) Object.assign(app.wish, { bucket: "", key: app.kept.about.name });
    app.against = against ?? "";
    app.setMode(mode ?? "slider", { quiet: true });
    if (file) {
      await app.files.ready;
      if (!app.files.open(file, { push: false })) app.progress.fail({ status: 404, message: `The file ${app.wish.key} is not kept in this browser. Drop it again.` });
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

  /** Opens a key, or a whole URL with its parameters. */
  async typed(text) {
    const { app } = this;
    if (!text) return;
    const address = text.replace(/^https?:\/\/[^/]+/i, "");
    const isAddress = address !== text || text.startsWith("/") || text.includes("?");
    if (!isAddress) return app.choose({ bucket: app.wish.bucket, key: text });
    app.progress.busy(true, "Reading the URL");
    try {
      const { url } = await app.service.translated(address, "query");
      app.wish = app.language.read(url);
    } catch (error) {
      if (error.status && error.status !== 404) return app.progress.fail(error);
      app.wish = app.language.read(address.startsWith("/") ? address : `/${address}`);
    }
    Object.assign(app, { file: null, fileId: "" });
    this.write({ push: true });
    app.opened();
  }
}
