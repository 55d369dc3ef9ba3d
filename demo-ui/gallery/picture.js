/** One picture: original and result on the stage, the recipes, and what is done with the result. */

import { $ } from "../js/dom.js";
import { format } from "../js/figures.js";
import { Stage } from "../js/stage.js";
import { number, size, t } from "../js/messages.js";
import { complain, say } from "./notices.js";
import { Progress } from "./progress.js";
import { describe } from "./queue.js";
import { fileName, isOutputOnly, labelOf, resultName } from "./recipes.js";
import { nameable, reason, saving } from "./shot.js";
import { Tiles } from "./tiles.js";
import { ACTIVE } from "./uploads.js";

const OPEN = ["uploading", "processing"];
const REVOKED_AFTER = 10_000; // milliseconds: the stage may still be loading the image that is replaced

export class PictureView {
  /** `go(id, result)` changes the address of the page. */
  constructor({ api, library, session, trash, share, uploads, go }) {
    Object.assign(this, { api, library, session, trash, share, uploads, go });
    this.picture = null;
    this.upload = null; // a file that is being uploaded, before there is a picture
    this.result = null;
    this.hidden = new Set(); // results that wait for their deletion
    this.files = new Map(); // pictures that were uploaded by this page, by their ID
    this.urls = {};
    this.run = new AbortController();
    this.stage = new Stage();
    this.progress = new Progress();
    this.tiles = new Tiles({ api, session, choose: (what) => this.choose(what), remove: (result, name) => this.remove(result, name) });
    this.listen();
  }

  listen() {
    $("modes").addEventListener("change", ({ target }) => this.stage.setMode(target.value));
    $("zoom-in").addEventListener("click", () => this.stage.zoomBy(1.35));
    $("zoom-out").addEventListener("click", () => this.stage.zoomBy(1 / 1.35));
    $("zoom-level").addEventListener("click", () => this.stage.fitAll());
    $("share").addEventListener("click", () => this.share.open(this.picture, this.result));
    $("cancel").addEventListener("click", () => this.upload && this.uploads.cancel(this.upload));
    $("picture-delete").addEventListener("click", () => {
      this.trash.pictures([this.picture]);
      this.go("");
    });
    nameable($("picture-name"), () => this.picture.name, (name) => this.rename(name));
    this.library.addEventListener("change", () => this.update());
    this.uploads.addEventListener("change", () => this.upload && this.showUpload());
  }

  // --- opening

  reset() {
    this.run.abort();
    this.tiles.hide();
    Object.assign(this, { picture: null, upload: null, result: null, before: "" });
    this.stage.show("before", null);
    this.stage.show("after", null);
    Object.assign(this.stage, { zoom: null, share: 50 });
    this.stage.setShare(50);
    this.progress.clear();
  }

  close() {
    this.reset();
    $("picture").hidden = true;
  }

  /** Shows a file while it is uploaded. */
  openUpload(upload) {
    this.reset();
    this.upload = upload;
    $("picture").hidden = false;
    this.showOriginal(upload.file);
    $("fact-original").textContent = size(upload.file.size);
    this.tiles.show({ id: "", status: "uploading", results: [] }, "");
    this.showActions();
    this.showUpload();
  }

  showUpload() {
    const { upload } = this;
    $("picture-name").value = upload.name;
    if (upload.state === "done") {
      this.files.set(upload.picture.id, upload.file);
      this.go(upload.picture.id, "", { replace: true });
    } else if (ACTIVE.includes(upload.state)) this.progress.busy(describe(upload), { now: true, cancel: true });
    else this.go(""); // the queue there says what became of it
  }

  /** Shows a picture with one of its results: that of an ID, else the latest. */
  open(picture, resultId = "") {
    this.reset();
    this.picture = picture;
    $("picture").hidden = false;
    $("picture-name").value = picture.name;
    const result = this.results.find(({ id }) => id === resultId) ?? this.results.at(-1) ?? null;
    this.draw(result);
    this.loadOriginal();
    if (result) this.present(result);
  }

  get results() {
    return (this.picture.results ?? []).filter(({ id }) => !this.hidden.has(id));
  }

  /** Shows what is known of the picture; the stage is left alone. */
  draw(result) {
    const { picture } = this;
    const { width, height, bytes, type } = picture;
    this.result = result;
    $("fact-original").textContent = [width ? `${number(width)} × ${number(height)}` : "", bytes ? size(bytes) : "", type ? format(type) : ""].filter(Boolean).join(" · ") || "…";
    this.tiles.show({ ...picture, results: this.results }, result ? result.recipe ?? result.id : "");
    $("choice").hidden = ["rejected", "failed"].includes(picture.status);
    this.showActions();
    if (OPEN.includes(picture.status)) this.progress.busy(t(`state.${picture.status}-long`));
    else if (picture.status !== "ready") this.troubleOf(picture);
  }

  /** Takes over what the library has learnt of the picture that is shown. */
  update() {
    if (!this.picture) return;
    const now = this.library.get(this.picture.id);
    if (!now || JSON.stringify(now) === JSON.stringify(this.picture)) return;
    const wasReady = this.picture.status === "ready";
    this.picture = now;
    if (document.activeElement !== $("picture-name")) $("picture-name").value = now.name;
    if (now.status === "ready" && !wasReady) {
      this.progress.clear();
      this.loadOriginal();
      say(t("picture.ready", { name: now.name }));
    }
    this.draw(this.results.find(({ id }) => id === this.result?.id) ?? null);
  }

  /** Shows the original: the visitor's own file if this browser can show it, else what the service makes of it. */
  async loadOriginal() {
    const { picture } = this;
    const file = this.files.get(picture.id);
    if (file && (await this.showOriginal(file))) return;
    if (!picture.original || this.picture?.id !== picture.id) return;
    try {
      await this.stage.show("before", picture.original.view ?? picture.original.url);
    } catch {
      if (this.picture?.id === picture.id) this.progress.trouble({ message: t("picture.not-shown") });
    }
  }

  async showOriginal(file) {
    this.url("before", file);
    try {
      await this.stage.show("before", this.urls.before);
      return true;
    } catch {
      return false; // such as a HEIC
    }
  }

  // --- recipes

  choose({ recipe, result }) {
    if (result) this.go(this.picture.id, result.id, { replace: true });
    else this.apply(recipe);
  }

  /** Keeps the result of a recipe, and shows its preview until it is there. */
  async apply(recipe) {
    const { picture } = this;
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    this.progress.trouble(null);
    for (const each of $("tiles").querySelectorAll(".tile")) each.setAttribute("aria-pressed", String(each.parentElement.dataset.tile === recipe.name));
    this.progress.busy(t("picture.working", { recipe: labelOf(recipe) }));
    const preview = this.tiles.shown(recipe);
    if (preview) this.stage.show("after", preview).catch(() => null); // the result itself follows
    try {
      const result = await this.api.apply(picture.id, { recipe: recipe.name });
      const known = this.library.get(picture.id) ?? picture;
      this.library.put({ ...known, results: [...known.results.filter(({ id }) => id !== result.id), result] });
      if (!signal.aborted) this.go(picture.id, result.id, { replace: true });
    } catch (error) {
      if (signal.aborted) return;
      this.progress.failed(error, () => this.apply(recipe));
    }
  }

  /** Shows another result of the picture that is open. */
  showResult(id) {
    const result = this.results.find((each) => each.id === id) ?? null;
    this.draw(result);
    if (result) this.present(result);
  }

  async present(result) {
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    const { picture } = this;
    const name = resultName(result, this.session.recipes);
    this.progress.trouble(null);
    this.figures(null);
    this.progress.busy(t("picture.working", { recipe: name }));
    try {
      const blob = await this.api.bytes(result.url, signal);
      this.url("after", blob);
      this.figures(blob);
      await this.stage.show("after", this.urls.after).catch(() => this.progress.trouble({ message: t("picture.result-not-shown") }));
      if (signal.aborted) return;
      performance.mark("shown");
      $("download").download = fileName(picture, result, blob.type, this.session.recipes);
      $("download").href = this.urls.after;
      this.progress.busy("");
      const dimensions = this.stage.sizes.after;
      this.figures(blob, dimensions);
      say(t("picture.done", { recipe: name, saving: saving(blob.size, picture) }));
    } catch (error) {
      if (!signal.aborted) this.progress.failed(error, () => this.present(result));
    }
  }

  /** Shows what is known of the result. That a cut-out has more bytes than a JPEG says nothing; that it has fewer does. */
  figures(blob, dimensions) {
    const sign = blob && this.picture.bytes ? Math.sign(Math.round((1 - blob.size / this.picture.bytes) * 100)) : null;
    const recipe = this.session.recipes.find(({ name }) => name === this.result?.recipe);
    $("saving").hidden = sign === null || (sign < 0 && !(recipe && isOutputOnly(recipe)));
    $("result-facts").hidden = !this.result;
    $("fact-result").textContent = blob ? [dimensions ? dimensions.map(number).join(" × ") : "", size(blob.size), format(blob.type)].filter(Boolean).join(" · ") : "…";
    if (sign === null) return;
    $("saving").textContent = saving(blob.size, this.picture);
    $("saving").dataset.sign = String(sign);
  }

  remove(result, name) {
    const isShown = this.result?.id === result.id;
    this.trash.result(this.picture, result, name, (is) => {
      if (is) this.hidden.delete(result.id);
      else this.hidden.add(result.id);
      if (this.picture) this.draw(this.result && !this.hidden.has(this.result.id) ? this.result : null);
    });
    if (!isShown) return;
    this.stage.show("after", null);
    this.go(this.picture.id, "", { replace: true });
    $("tiles").querySelector("button")?.focus();
  }

  // --- actions

  showActions() {
    const isReady = this.picture?.status === "ready";
    $("download").hidden = !this.result;
    $("share").hidden = !isReady;
    $("picture-delete").hidden = !this.picture;
    $("picture-name").disabled = !this.picture;
    $("tune").hidden = !isReady || !this.session.fineTune;
    if (!this.result) this.figures(null);
    if (!isReady) return;
    const from = this.result ? { result: this.result.id } : {};
    $("tune").href = `../_demo/?${new URLSearchParams({ picture: this.picture.id, ...from })}`;
  }

  async rename(name) {
    const { picture } = this;
    try {
      this.library.put(await this.api.rename(picture.id, name));
      say(t("picture.renamed", { name }));
    } catch (error) {
      complain(error);
      if (this.picture === picture) $("picture-name").value = picture.name;
    }
  }

  // --- progress and errors

  troubleOf(picture) {
    this.progress.busy("");
    const again = async () => {
      this.progress.trouble(null);
      try {
        this.library.put(await this.api.retry(picture.id));
      } catch (error) {
        this.progress.failed(error, again);
      }
    };
    this.progress.trouble({ title: t(`state.${picture.status}`), message: picture.error ? reason(picture) : "", again: picture.status === "failed" ? again : null });
  }

  url(which, blob) {
    const old = this.urls[which];
    if (old) setTimeout(() => URL.revokeObjectURL(old), REVOKED_AFTER);
    this.urls[which] = URL.createObjectURL(blob);
  }
}
