/** The page: one request (`wish`), the controls that edit it, and its result. */

import { empty, Language } from "./address.js";
import { Code } from "./code.js";
import { Controls } from "./controls.js";
import { $, h, label, prose, quietly } from "./dom.js";
import { watchDrops } from "./drops.js";
import { format, showOriginal, showResult, showTime } from "./figures.js";
import { Images } from "./images.js";
import { openKept } from "./kept.js";
import { Picker } from "./pick.js";
import { report } from "./report.js";
import { Service, title } from "./service.js";
import { shrunk } from "./shrink.js";
import { Stage } from "./stage.js";
import { theme } from "./theme.js";
import { askToken } from "./token.js";

const SHOWN_BY_BROWSERS = ["jpeg", "png", "webp", "gif", "avif", "svg"];
const MOST_BYTES = 6_000_000;
const MOST_PIXELS = 20_000_000;
const PREVIEW = { resize: { width: 2048, height: 2048, fit: "inside", withoutEnlargement: true } };
const HASH = /^#(slider|side|result)?(?:\.(original|frame))?(\/.*)$/s;
const MIDDLE = "center";
const REVOKED_AFTER = 10_000; // milliseconds: the stage may still be loading the image that is replaced
const NO_PICTURE = [0, 401, 404]; // for these there is no original either

class App {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.language = new Language(catalogue);
    this.wish = empty();
    this.file = null; // a dropped file, instead of a key
    this.mode = "slider";
    this.against = ""; // what the visitor chose to compare with
    this.run = new AbortController();
    this.original = null;
    this.urls = {};
    this.service = new Service(askToken);
    this.stage = new Stage();
    this.picker = new Picker();
    this.code = new Code(this.service, this.language, catalogue.languages);
    this.images = new Images(this.service, { address: (wish) => this.language.write({ ...empty(), ...wish }), choose: (choice) => this.choose(choice), again: () => this.refresh() });
    this.controls = new Controls(catalogue, { changed: () => this.changed(), pick: (what) => this.pick(what), overlay: () => this.images.overlay() });
    this.soon = quietly(180, () => this.refresh());
    this.listen();
  }

  async start() {
    this.kept = await openKept(this.service, this.language);
    this.recipes();
    if (this.kept) return this.startKept();
    const known = HASH.test(location.hash);
    if (known) this.fromHash();
    else this.controls.show(this.wish, { open: true });
    performance.mark("usable");
    const keys = await this.images.load();
    if (!known && keys.length) {
      this.wish.output = { format: "auto" };
      this.choose({ bucket: this.images.bucket, key: this.images.photo() }, { replace: true });
    } else if (!known) {
      this.idle("Type the key of an image above, or drop a file.");
      this.images.release();
    }
    this.images.mark(this.file ? "" : this.wish.key);
  }

  /** Edits a picture of the gallery, instead of one of the source. */
  startKept() {
    const { kept } = this;
    kept.show(() => kept.save(this.wish).catch((error) => this.fail(error)));
    performance.mark("usable");
    if (kept.error) return this.fail(kept.error);
    if (HASH.test(location.hash)) return this.fromHash();
    this.wish = kept.wish;
    this.opened();
  }

  listen() {
    $("source").addEventListener("submit", (event) => {
      event.preventDefault();
      this.typed($("key").value.trim());
    });
    $("file").addEventListener("change", ({ target }) => target.files[0] && this.drop(target.files[0]));
    $("reset").addEventListener("click", () => this.apply([]));
    $("cancel").addEventListener("click", () => this.cancel());
    $("again").addEventListener("click", () => this.refresh({ past: true }));
    $("zoom-in").addEventListener("click", () => this.stage.zoomBy(1.35));
    $("zoom-out").addEventListener("click", () => this.stage.zoomBy(1 / 1.35));
    $("zoom-level").addEventListener("click", () => this.stage.fitAll());
    $("modes").addEventListener("change", ({ target }) => this.setMode(target.value));
    $("against").addEventListener("change", ({ target }) => {
      this.against = target.value;
      this.toHash();
      this.compare();
    });
    addEventListener("hashchange", () => location.hash !== this.hash && HASH.test(location.hash) && this.fromHash());
    watchDrops(([file]) => file && this.drop(file));
    $("skip").addEventListener("click", (event) => {
      event.preventDefault(); // the fragment holds the request
      $("panel-search").focus();
    });
    document.addEventListener("keydown", (event) => this.key(event));
    theme();
  }

  key(event) {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      $("panel-search").focus();
    } else if (event.key === "Escape" && !$("busy").hidden) {
      this.cancel();
    }
  }

  // --- the request

  get address() {
    return this.language.write(this.wish);
  }

  fromHash() {
    const [, mode, against, address] = HASH.exec(location.hash);
    this.hash = location.hash;
    this.file = null;
    this.wish = this.language.read(address);
    if (this.kept) Object.assign(this.wish, { bucket: "", key: this.kept.about.name });
    this.against = against ?? "";
    this.setMode(mode ?? "slider", { quiet: true });
    this.opened();
  }

  toHash({ push = false } = {}) {
    const mode = this.mode === "slider" && !this.against ? "" : this.mode;
    this.hash = `#${mode}${this.against ? `.${this.against}` : ""}${this.address}`;
    if (this.file || location.hash === this.hash) return;
    try {
      history[push ? "pushState" : "replaceState"](null, "", this.hash);
    } catch {
      // Safari allows 100 changes in 10 seconds: the address bar then waits for the next change.
    }
  }

  /** Opens another image with the same edits. */
  choose({ bucket, key }, { replace = false } = {}) {
    this.file = null;
    Object.assign(this.wish, { bucket, key });
    this.toHash({ push: !replace });
    this.opened();
  }

  /** Opens a key, or a whole URL with its parameters. */
  async typed(text) {
    if (!text) return;
    const address = text.replace(/^https?:\/\/[^/]+/i, "");
    const isAddress = address !== text || text.startsWith("/") || text.includes("?");
    if (!isAddress) return this.choose({ bucket: this.wish.bucket, key: text });
    this.busy(true, "Reading the URL");
    try {
      const { url } = await this.service.translated(address, "query");
      this.wish = this.language.read(url);
    } catch (error) {
      if (error.status && error.status !== 404) return this.fail(error);
      this.wish = this.language.read(address.startsWith("/") ? address : `/${address}`);
    }
    this.file = null;
    this.toHash({ push: true });
    this.opened();
  }

  async drop(file) {
    if (this.kept) return;
    this.service.refused = false; // a dropped file may ask for the token again
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    this.busy(true, "Reading the file");
    try {
      const { file: small, note } = await shrunk(file);
      if (signal.aborted) return;
      this.file = small;
      this.note = note;
    } catch (error) {
      return this.fail({ status: 413, message: error.message });
    }
    Object.assign(this.wish, { bucket: "", key: file.name });
    $("file").value = "";
    this.opened();
  }

  /** Resets the page for a new image. */
  opened() {
    if (!this.file) this.note = "";
    $("key").value = this.file ? "" : this.wish.key;
    $("key").placeholder = this.file ? `${this.file.name} (dropped)` : "photos/cat.jpg, or paste a whole URL";
    this.picking?.abort();
    this.picker.close();
    this.images.mark(this.file ? "" : this.wish.key);
    this.original = null;
    this.originalRun?.abort();
    this.originalRun = new AbortController();
    this.info = null;
    this.result = null;
    this.before = "";
    this.stage.show("before", null);
    this.stage.fitAll();
    this.stage.zoom = null;
    this.controls.show(this.wish, { open: true });
    this.controls.reveal();
    this.refresh();
  }

  changed() {
    this.controls.clear();
    this.controls.show(this.wish);
    this.press();
    this.soon();
  }

  /** Builds the request again from names and values, for the same image. */
  apply(pairs) {
    const { bucket, key } = this.wish;
    this.wish = { ...empty(), bucket, key };
    this.language.apply(this.wish, pairs);
    Object.assign(this.wish, { bucket, key });
    this.picker.close();
    this.controls.clear();
    this.controls.show(this.wish, { open: true });
    this.controls.reveal();
    this.refresh();
  }

  // --- examples

  recipes() {
    const isPossible = ({ query }) => !this.kept || !/\{logo\}|report|info/.test(query); // the gallery makes pictures of one picture
    const [recipes, examples] = [this.catalogue.recipes, this.catalogue.examples].map((list) => list.filter(isPossible));
    const buttons = recipes.map((recipe) => h("button", { type: "button", "aria-pressed": "false", onclick: () => this.recipe(recipe) }, recipe.title));
    const more = h("select", { "aria-label": "More examples", onchange: () => { this.recipe(examples[more.value]); more.value = ""; } },
      h("option", { value: "" }, "More"), examples.map((example, index) => h("option", { value: index }, example.title)));
    $("recipes").replaceChildren(...buttons, more);
    this.pressed = recipes.map((recipe, index) => [buttons[index], recipe]);
  }

  async recipe(recipe) {
    if (recipe.logo && !this.file) {
      const key = this.images.overlay();
      if (key && key !== this.wish.key) Object.assign(this.wish, { bucket: this.images.bucket, key });
      this.opened();
    }
    if (recipe.query.includes("{half}")) await this.learnt();
    this.apply(this.pairsOf(recipe));
  }

  pairsOf({ query }) {
    const half = Math.max(200, Math.round((this.original?.bytes ?? 40_000) / 2));
    // An overlay is stored in the source of the images, which may not be the default source.
    const { bucket } = this.images;
    const bucketOf = ([name, value]) => bucket && value === "{logo}" ? [[`${name.split(".")[0]}.bucket`, bucket]] : [];
    const pairs = [...new URLSearchParams(query)].flatMap((pair) => [pair, ...bucketOf(pair)]);
    return pairs.map(([name, value]) => [name, value.replace("{logo}", this.images.overlay()).replace("{half}", String(half))]);
  }

  /** Marks the example that equals the current request. */
  press() {
    for (const [button, recipe] of this.pressed) {
      const theirs = empty();
      this.language.apply(theirs, this.pairsOf(recipe));
      const same = this.language.write({ ...theirs, key: this.wish.key, bucket: this.wish.bucket }) === this.address;
      button.setAttribute("aria-pressed", String(same));
    }
  }

  // --- the result

  async ask(address, { signal, past }) {
    if (this.kept) return this.kept.picture(this.language.read(address), { signal, past });
    if (!this.file) return this.service.picture(address, { signal, past });
    const [, query = ""] = address.split(/(\?.*)/s);
    return this.service.transform(this.file, query, signal);
  }

  async refresh({ past = false } = {}) {
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    this.toHash();
    this.press();
    this.tell();
    const lacking = this.lacking();
    if (lacking) {
      this.images.release();
      return this.fail(lacking);
    }
    this.busy(true);
    performance.clearResourceTimings();
    const started = performance.now();
    try {
      const address = this.address;
      const answer = await this.ask(address, { signal, past });
      const blob = await answer.blob();
      const took = performance.now() - started;
      if (signal.aborted) return;
      await this.present({ answer, blob, took, address, signal });
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    } finally {
      if (this.run.signal === signal) this.busy(false);
      this.images.release();
    }
  }

  /** Returns an error if something required is missing: an image, or a parameter of a feature. */
  lacking() {
    if (!this.wish.key) return { status: 404, message: "No image is selected. Type its key above, or drop a file." };
    for (const feature of this.catalogue.features) {
      const values = this.wish.edits[feature.name];
      const missing = values && feature.parameters.find(({ name, required }) => required && !(name in values));
      if (missing) return { status: 400, message: `\`${feature.name}.${missing.name}\` is required: ${missing.help}` };
    }
    return null;
  }

  async present({ answer, blob, took, address, signal }) {
    $("fault").hidden = true;
    this.controls.clear();
    const isReport = blob.type.startsWith("application/json");
    $("report").hidden = !isReport;
    $("tools").hidden = isReport;
    $("stage").classList.remove("stale");
    this.result = { bytes: blob.size, type: blob.type };
    if (isReport) $("report").replaceChildren(report(JSON.parse(await blob.text())));
    else await this.showResult(blob, signal);
    if (signal.aborted) return;
    showTime(took, answer);
    showOriginal(this.original ?? undefined);
    showResult(this.result, this.original);
    this.tell();
    await this.learnt();
    if (signal.aborted) return;
    showOriginal(this.original);
    showResult(this.result, this.original);
    this.tell();
    if (!isReport) return this.compare(signal);
    if (this.original) await this.hold(this.originalAddress(), "original", signal);
    if (!signal.aborted && this.urls.before && this.before) $("report").prepend(h("img", { class: "shown", alt: "Image of this report", src: this.urls.before }));
  }

  async showResult(blob, signal) {
    this.url("after", blob);
    try {
      await this.stage.show("after", this.urls.after);
    } catch {
      // The browser cannot show this format, such as TIFF: show the same image as PNG, with the figures of the result.
      const shown = { ...this.wish, output: { ...this.wish.output, format: "png" } };
      for (const name of ["quality", "maxBytes", "lossless", "chromaSubsampling"]) delete shown.output[name];
      const answer = await this.ask(this.language.write(shown), { signal });
      this.url("after", await answer.blob());
      await this.stage.show("after", this.urls.after);
    }
    [this.result.width, this.result.height] = this.stage.sizes.after;
    performance.mark("shown");
  }

  url(which, blob) {
    const old = this.urls[which];
    if (old) setTimeout(() => URL.revokeObjectURL(old), REVOKED_AFTER);
    this.urls[which] = URL.createObjectURL(blob);
  }

  /** Fetches the facts of the original, once, and after the result, which the visitor waits for. */
  learnt() {
    this.info ??= this.learn(this.originalRun.signal);
    return this.info;
  }

  /** Sets `original`, or null if the stack does not report on it. */
  async learn(signal) {
    if (this.kept) return void (this.original = this.kept.original);
    const { bucket, key } = this.wish;
    try {
      const address = this.language.write({ ...empty(), bucket, key, edits: { info: {} } });
      const answer = await this.ask(address, { signal });
      this.original = await answer.json();
    } catch {
      if (!signal.aborted) this.original = null; // The request for the image itself reports the error.
    }
  }

  /** Loads the image that the result is compared with: the original, or the original with the same crop. */
  async compare(signal = this.run.signal) {
    const { edits, bucket, key } = this.wish;
    const features = this.catalogue.features.filter(({ name, group }) => group === "geometry" && edits[name]);
    const reshaping = features.filter(({ name, parameters }) => name !== "resize" && parameters.length);
    const ratio = ({ width, height }) => width / height;
    const differs = this.original && Math.abs(ratio(this.result) / ratio(this.original) - 1) > 0.02;
    const choosable = reshaping.length > 0 || (differs && features.length > 0);
    const against = !choosable || this.mode === "side" ? "original" : this.against || "frame";
    $("against").hidden = !choosable || this.mode !== "slider";
    for (const input of $("against").querySelectorAll("input")) input.checked = input.value === against;
    $("before-tag").textContent = against === "frame" ? "Original, same crop" : "Original";
    const same = Object.fromEntries(features.map(({ name }) => [name, edits[name]]));
    const output = this.original?.frames > 1 ? { format: "webp", quality: 90 } : { format: "png" };
    const address = against === "frame" ? this.language.write({ ...empty(), bucket, key, edits: same, output }) : this.originalAddress();
    await this.hold(address, against, signal);
  }

  async hold(address, against, signal) {
    const mine = (this.holding = {});
    if (address === this.before && !this.file) return;
    try {
      const blob = this.file && against === "original" ? await this.fileShown(signal) : await (await this.ask(address, { signal })).blob();
      if (signal.aborted || this.holding !== mine) return;
      this.url("before", blob);
      if (await this.stage.show("before", this.urls.before)) this.before = address;
    } catch {
      if (!signal.aborted && this.holding === mine) this.stage.show("before", null);
    }
  }

  /** Shows the original alone if there is no result. */
  async originalAlone(signal) {
    this.stage.show("after", null);
    await this.learnt();
    if (signal.aborted || !this.original) return;
    showOriginal(this.original);
    await this.hold(this.originalAddress(), "original", signal);
  }

  /** Returns the URL of the original if it is small and browsers can show it, else of a preview. */
  originalAddress() {
    const { bucket, key } = this.wish;
    const plain = { ...empty(), bucket, key };
    const about = this.original;
    const fine = about && SHOWN_BY_BROWSERS.includes(about.format) && about.bytes <= MOST_BYTES && about.width * about.height <= MOST_PIXELS;
    return this.language.write(fine ? plain : { ...plain, edits: PREVIEW, output: { format: "webp", quality: 90 } });
  }

  async fileShown(signal) {
    try {
      (await createImageBitmap(this.file)).close();
      return this.file;
    } catch {
      const answer = await this.ask(this.language.write({ ...empty(), key: this.wish.key, edits: PREVIEW, output: { format: "webp", quality: 90 } }), { signal });
      return answer.blob();
    }
  }

  tell() {
    const { wish, file, result, original } = this;
    const extension = result && !result.type.includes("json") ? format(result.type).toLowerCase().replace("jpeg", "jpg") : result ? "json" : "jpg";
    this.code.update({ wish, file, width: result?.width, height: result?.height, original, extension });
    $("panel-note").textContent = this.note ?? "";
    this.kept?.tell(wish);
  }

  // --- progress and errors

  busy(is, what = "Rendering the image") {
    clearTimeout(this.timer);
    clearInterval(this.clock);
    $("stage").setAttribute("aria-busy", String(is));
    $("busy").hidden = true;
    if (!is) return;
    const started = performance.now();
    this.timer = setTimeout(() => {
      $("busy").hidden = false;
      const tick = () => ($("busy-text").textContent = `${what}… ${Math.round((performance.now() - started) / 1000)} s`);
      tick();
      this.clock = setInterval(tick, 1000);
    }, 400);
  }

  cancel() {
    this.run.abort();
    this.busy(false);
    this.idle("Cancelled. Change anything to start again.");
  }

  idle(text) {
    this.busy(false);
    $("fault").replaceChildren(h("p", {}, text));
    $("fault").classList.add("calm");
    $("fault").hidden = false;
  }

  fail(error) {
    this.busy(false);
    if (!("status" in error)) console.error(error);
    const marked = this.controls.mark(this.language.places(error.message, this.wish), error.message.replaceAll("`", ""));
    const go = marked && h("button", { type: "button", onclick: () => { marked.element.scrollIntoView({ block: "center" }); marked.focus(); } }, `Go to ${label(marked.parameter.name)}`);
    const about = marked && error.status === 400 ? "A parameter needs a change" : title(error);
    const message = error.message.charAt(0).toUpperCase() + error.message.slice(1);
    $("fault").replaceChildren(...[h("strong", {}, about), h("p", {}, prose(message)), go].filter(Boolean));
    $("fault").classList.remove("calm");
    $("fault").hidden = false;
    $("stage").classList.add("stale");
    showResult(null);
    this.controls.show(this.wish);
    if (this.result) return;
    showOriginal();
    if (NO_PICTURE.includes(error.status)) this.stage.show("after", null);
    else this.originalAlone(this.originalRun.signal);
  }

  setMode(mode, { quiet = false } = {}) {
    this.mode = mode;
    for (const input of $("modes").querySelectorAll("input")) input.checked = input.value === mode;
    this.stage.setMode(mode);
    if (quiet) return;
    this.toHash();
    if (this.result?.width) this.compare();
  }

  // --- selecting on the image

  /** Lets the visitor select a point or a box on the image as this feature gets it, after the features before it. */
  async pick({ feature, parameter, button }) {
    const { features } = this.catalogue;
    const earlier = features.slice(0, features.indexOf(feature)).filter(({ name, group }) => this.wish.edits[name] && group !== "report");
    const edits = Object.fromEntries(earlier.map(({ name }) => [name, this.wish.edits[name]]));
    if (!edits.resize && feature.name !== "resize") Object.assign(edits, PREVIEW);
    const { bucket, key } = this.wish;
    const own = feature.name === "resize" || !edits.resize ? PREVIEW : {};
    const address = this.language.write({ ...empty(), bucket, key, edits: { ...edits, ...own }, output: { format: "webp", quality: 85 } });
    this.picking?.abort(); // a change of the request does not end the selection
    const { signal } = (this.picking = new AbortController());
    let url, room;
    try {
      const blob = await (await this.ask(address, { signal })).blob();
      url = URL.createObjectURL(blob);
      // Lengths in pixels refer to the image that the feature gets: after a resize this one, else the original.
      room = earlier.some(({ name }) => name === "resize") ? await createImageBitmap(blob) : earlier.length ? null : this.original;
    } catch (error) {
      if (!signal.aborted) this.fail(error);
      return;
    }
    if (signal.aborted) return;
    const kind = parameter ? "point" : "box";
    const title = `${label(feature.name)}: ${parameter ? label(parameter.name).toLowerCase() : "box"}`;
    await this.picker.open({ kind, address: url, title, back: button, shares: this.picked(feature, parameter, room), change: (shares) => this.place(feature, parameter, shares) });
    URL.revokeObjectURL(url);
  }

  picked(feature, parameter, room) {
    const values = this.wish.edits[feature.name] ?? {};
    if (parameter) {
      const shares = String(values[parameter.name] ?? "").split(",").map(Number);
      return shares.length === 2 && shares.every(Number.isFinite) ? shares : null;
    }
    const of = { left: room?.width, width: room?.width, top: room?.height, height: room?.height };
    const share = (name) => {
      const [, amount, percent] = /^([\d.]+)([p%]?)$/.exec(String(values[name] ?? "")) ?? [];
      return amount === undefined ? null : percent ? amount / 100 : of[name] ? amount / of[name] : null;
    };
    const shares = ["left", "top", "width", "height"].map(share);
    return shares.every((each) => each !== null && each <= 1) ? shares : null;
  }

  place(feature, parameter, shares) {
    const values = (this.wish.edits[feature.name] ??= {});
    if (parameter) {
      values[parameter.name] = shares.map((each) => Math.round(each * 1000) / 1000).join(",");
      delete values.focalX;
      delete values.focalY;
    } else {
      ["left", "top", "width", "height"].forEach((name, index) => (values[name] = `${Math.round(shares[index] * 1000) / 10}p`));
      delete values.aspectRatio;
      delete values.focalPoint;
    }
    // A point or a box replaces a position, which would contradict it.
    for (const each of feature.parameters) if (each.control === "position" && values[each.name] !== MIDDLE) delete values[each.name];
    this.changed();
  }
}

const catalogue = await fetch("features.json").then((answer) => answer.json());
await new App(catalogue).start();
document.documentElement.dataset.ready = "true";
