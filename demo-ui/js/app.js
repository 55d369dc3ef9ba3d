/** The page: one request (`imageRequest`), the controls that edit it, and its result. */

import "./scheme.js"; // first: the others wait for texts
import { empty, Language } from "./address.js";
import { Capabilities } from "./capabilities.js";
import { catalogue } from "./catalogue.js";
import { Chooser } from "./chooser.js";
import { Code } from "./code.js";
import { Comparison } from "./comparison.js";
import { Controls } from "./controls.js";
import { $, quietly } from "./dom.js";
import { Download } from "./download.js";
import { watchDrops } from "./drops.js";
import { format, showOriginal, showResult } from "./figures.js";
import { Examples } from "./examples.js";
import { Files } from "./files.js";
import { Formats } from "./formats.js";
import { History } from "./history.js";
import { Images } from "./images.js";
import { openKept } from "./kept.js";
import { offerLanguages } from "./language.js";
import { t } from "./messages.js";
import { Navigation } from "./navigation.js";
import { Overlays } from "./overlays.js";
import { OwnRecipes } from "./own.js";
import { Progress } from "./progress.js";
import { Recipes } from "./recipes.js";
import { Rendering } from "./rendering.js";
import { Responsive } from "./responsive.js";
import { Selection } from "./selection.js";
import { Service } from "./service.js";
import { shortcuts } from "./shortcuts.js";
import { Stage } from "./stage.js";
import { Steps } from "./steps.js";
import { theme } from "./theme.js";
import { askToken } from "./token.js";

// Milliseconds without another change:
const PAUSED = 80; // until an image is fetched
const SETTLED = 250; // until the address bar follows

class App {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.language = new Language(catalogue);
    this.imageRequest = empty();
    this.file = null; // a dropped file, instead of a key
    this.fileId = "";
    this.note = ""; // what was done to the file
    this.reducedFrom = 0; // bytes of the file before this browser reduced it
    this.side = ""; // what the last change has done beside what was asked for
    this.mode = "slider";
    this.against = ""; // what the visitor chose to compare with
    this.service = new Service(askToken);
    this.capabilities = new Capabilities();
    this.stage = new Stage();
    this.code = new Code(this.service, this.language, catalogue.languages, new Responsive((address, options) => this.rendering.ask(address, options)));
    this.progress = new Progress(this);
    this.rendering = new Rendering(this);
    this.comparison = new Comparison(this);
    this.selection = new Selection(this);
    this.own = new OwnRecipes({ query: () => this.query, changed: () => this.recipes.show() });
    this.recipes = new Recipes(this);
    this.download = new Download();
    this.history = new History((edits) => this.restore(edits));
    this.files = new Files(this);
    this.examples = new Examples(this);
    this.formats = new Formats(this);
    this.overlays = new Overlays(this);
    this.navigation = new Navigation(this);
    this.images = new Images(this.service, { address: (imageRequest) => this.language.write({ ...empty(), ...imageRequest }), choose: (choice) => this.choose(choice), again: () => this.refresh() });
    this.chooser = new Chooser(this.images);
    this.steps = new Steps(this);
    this.controls = new Controls(catalogue, { changed: () => this.changed(), pick: (what) => this.selection.pick(what), takeColor: (what) => this.selection.takeColor(what), choose: (feature, edit, take) => this.chooseOverlay(feature, edit, take), overlay: () => this.images.overlay(), measures: () => this.rendering, sizeBefore: (edit) => this.selection.sizeBefore(edit), capabilities: this.capabilities, tell: (text) => this.hint(text), shown: (imageRequest) => this.steps.show(imageRequest) });
    this.soon = quietly(PAUSED, () => {
      delete document.documentElement.dataset.pending;
      this.refresh();
    });
    this.settleSoon = quietly(SETTLED, () => this.settle());
    this.listen();
  }

  async start() {
    const learnt = this.capabilities.load().then(() => this.limit());
    await this.open();
    await learnt;
  }

  /** Shows what the service cannot do. */
  limit() {
    this.recipes.show();
    this.recipes.press();
    this.controls.show(this.imageRequest);
  }

  async open() {
    this.kept = await openKept(this.service, this.language);
    this.recipes.show();
    if (this.kept) return this.startKept();
    const known = this.navigation.isKnown;
    if (known) this.navigation.read();
    else this.controls.show(this.imageRequest, { open: true });
    performance.mark("usable");
    const keys = await this.images.load();
    if (!known && keys.length) {
      this.imageRequest.output = { format: "auto" };
      this.choose({ bucket: this.images.bucket, key: this.images.photo() }, { replace: true });
    } else if (!known) {
      this.progress.idle(t("work.type-key"));
      this.images.release();
    }
    this.images.mark(this.file ? "" : this.imageRequest.key);
  }

  /** Edits a picture of the gallery, instead of one of the source. */
  startKept() {
    const { kept } = this;
    kept.show(() => kept.save(this.imageRequest).catch((error) => this.progress.fail(error)));
    performance.mark("usable");
    if (kept.error) return this.progress.fail(kept.error);
    if (this.navigation.isKnown) return this.navigation.read();
    this.imageRequest = kept.imageRequest;
    this.opened();
  }

  listen() {
    $("source").addEventListener("submit", (event) => {
      event.preventDefault();
      this.navigation.typed($("key").value.trim());
    });
    $("file").addEventListener("change", ({ target }) => this.files.take([...target.files]));
    $("reset").addEventListener("click", () => this.apply([]));
    $("cancel").addEventListener("click", () => this.progress.cancel());
    $("again").addEventListener("click", () => this.refresh({ past: true }));
    $("zoom-in").addEventListener("click", () => this.stage.zoomBy(1.35));
    $("zoom-out").addEventListener("click", () => this.stage.zoomBy(1 / 1.35));
    $("zoom-level").addEventListener("click", () => this.stage.fitAll());
    $("modes").addEventListener("change", ({ target }) => this.setMode(target.value));
    $("against").addEventListener("change", ({ target }) => {
      this.against = target.value;
      this.navigation.write();
      this.comparison.compare();
    });
    watchDrops((files) => this.files.take(files));
    $("skip").addEventListener("click", (event) => {
      event.preventDefault(); // the fragment holds the request
      $("panel-search").focus();
    });
    document.addEventListener("keydown", (event) => this.key(event));
    theme();
    shortcuts();
  }

  key(event) {
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      $("panel-search").focus();
    } else if (event.key === "Escape" && !$("busy").hidden) {
      this.progress.cancel();
    }
  }

  get address() {
    return this.language.write(this.imageRequest);
  }

  refresh(options) {
    return this.rendering.refresh(options);
  }

  /** Writes the request down, once it does not change any more. */
  settle() {
    this.navigation.write();
    this.history.record(this.imageRequest);
  }

  /** Returns the query of the edits, without the image. */
  get query() {
    return this.language.write({ ...this.imageRequest, bucket: "", key: "" }).split(/\?(.*)/s)[1] ?? "";
  }

  /** Shows earlier edits of the same image. */
  restore(edits) {
    Object.assign(this.imageRequest, edits);
    this.show();
  }

  /** Chooses the image of an overlay; it is stored in the source of the images, which may not be the default one. */
  chooseOverlay(feature, edit, take) {
    this.chooser.open((key) => {
      const { bucket } = this.images;
      const values = { ...edit.values };
      delete values.bucket;
      if (bucket && feature.parameters.some(({ name }) => name === "bucket")) values.bucket = bucket;
      edit.put(values);
      take(key);
    });
  }

  /** Opens another image with the same edits. */
  choose({ bucket, key }, { replace = false } = {}) {
    Object.assign(this, { file: null, fileId: "" });
    Object.assign(this.imageRequest, { bucket, key });
    this.navigation.write({ push: !replace });
    this.opened();
  }

  /** Resets the page for a new image. */
  opened() {
    if (!this.file) Object.assign(this, { note: "", reducedFrom: 0 });
    this.side = "";
    this.files.mark();
    this.download.offer(null);
    $("key").value = this.file ? "" : this.imageRequest.key;
    $("key").placeholder = this.file ? t("open.dropped", { name: this.file.name }) : t("open.placeholder");
    this.selection.close();
    this.images.mark(this.file ? "" : this.imageRequest.key);
    this.rendering.reset();
    showResult(null);
    showOriginal();
    this.stage.zoom = null;
    this.controls.show(this.imageRequest, { open: true });
    this.controls.reveal();
    this.settle();
    this.refresh();
    this.comparison.begin(this.rendering.originalRun.signal);
  }

  hint(text) {
    this.side = text;
    $("panel-note").textContent = text || this.note;
  }

  changed() {
    this.controls.clear();
    this.controls.show(this.imageRequest);
    this.recipes.press();
    document.documentElement.dataset.pending = "true"; // until the request for it begins
    this.soon();
    this.settleSoon();
  }

  /** Builds the request again from names and values, for the same image. */
  apply(pairs) {
    const { bucket, key } = this.imageRequest;
    this.imageRequest = { ...empty(), bucket, key };
    this.language.apply(this.imageRequest, pairs);
    Object.assign(this.imageRequest, { bucket, key });
    this.show();
  }

  /** Shows the request from its beginning, for the same image. */
  show() {
    this.side = "";
    this.selection.picker.close();
    this.controls.clear();
    this.controls.show(this.imageRequest, { open: true });
    this.controls.reveal();
    this.settle();
    this.refresh();
  }

  /** Shows the code of the request, with what is known of the result. */
  tell() {
    const { imageRequest, file } = this;
    const { result, original } = this.rendering;
    const extension = result && !result.type.includes("json") ? format(result.type).toLowerCase().replace("jpeg", "jpg") : result ? "json" : "jpg";
    this.code.update({ imageRequest, file, width: result?.width, height: result?.height, original, extension });
    $("panel-note").textContent = this.side || this.note;
    this.kept?.tell(imageRequest);
  }

  setMode(mode, { quiet = false } = {}) {
    this.mode = mode;
    for (const input of $("modes").querySelectorAll("input")) input.checked = input.value === mode;
    this.stage.setMode(mode);
    if (quiet) return;
    this.navigation.write();
    if (this.rendering.result?.width) this.comparison.compare();
  }
}

offerLanguages();
await new App(catalogue).start();
document.documentElement.dataset.ready = "true";
