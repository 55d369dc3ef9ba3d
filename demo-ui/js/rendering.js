/**
 * Fetches the result of the request, shows it with its figures, and learns what the original is.
 *
 * Where the requested format takes long to encode, the same image as WebP is shown first.
 */

import { empty } from "./address.js";
import { $, h, isLocal } from "./dom.js";
import { format, outdate, showOriginal, showResult, showTime } from "./figures.js";
import { t } from "./messages.js";
import { report } from "./report.js";
import { stepsOf } from "./steps.js";

const SLOW = ["avif", "auto"]; // to encode; browsers that accept AVIF get it for auto
const SLOW_ORIGINAL = /\.(avif|hei[cf])$/i;
const OF_PREVIEW = ["matte", "animated", "page"]; // the output options that change what is seen

const REVOKED_AFTER = 10_000; // milliseconds: the stage may still be loading the image that is replaced

export class Rendering {
  constructor(app) {
    this.app = app;
    this.run = new AbortController();
    this.originalRun = new AbortController();
    this.original = null; // the report on the original
    this.result = null; // {bytes, type, width, height}
    this.info = null; // the promise of the report
    this.urls = {};
  }

  /** Whether the report on the original has not arrived. */
  get isUnknown() {
    return this.original === null && !this.isKnown;
  }

  /** Forgets result and original, for a new image. */
  reset() {
    this.original = this.app.kept?.about ? this.app.kept.original : null;
    this.isKnown = false;
    this.originalRun.abort();
    this.originalRun = new AbortController();
    this.info = null;
    this.result = null;
  }

  /** Ends the request that runs, and returns the signal of the next one. */
  restart() {
    this.run.abort();
    this.run = new AbortController();
    return this.run.signal;
  }

  async ask(address, { signal, past }) {
    const { kept, file, language, service } = this.app;
    if (kept) return kept.picture(language.read(address), { signal, past });
    if (!file) return service.picture(address, { signal, past });
    const [, query = ""] = address.split(/(\?.*)/s);
    return service.transform(file, query, signal);
  }

  async refresh({ past = false } = {}) {
    const { app } = this;
    const signal = this.restart();
    app.recipes.press();
    app.tell();
    const lacking = this.lacking();
    if (lacking) {
      app.images.release();
      return app.progress.fail(lacking);
    }
    app.progress.busy(true);
    outdate(true);
    try {
      const quick = past ? "" : this.quickAddress();
      if (quick && (await this.preview(quick, signal))) return;
      if (signal.aborted) return;
      performance.clearResourceTimings();
      const started = performance.now();
      const answer = await this.ask(app.address, { signal, past });
      const blob = await answer.blob();
      const took = performance.now() - started;
      if (signal.aborted) return;
      await this.present({ answer, blob, took, signal });
    } catch (error) {
      if (!signal.aborted) app.progress.fail(error);
    } finally {
      if (this.run.signal === signal) app.progress.busy(false);
      app.images.release();
    }
  }

  /** Returns the URL of the same image as WebP if the requested format takes longer; "" if a preview gains nothing. */
  quickAddress() {
    const { imageRequest, language, catalogue, file } = this.app;
    const { format, lossless } = imageRequest.output;
    const isSlow = format ? SLOW.includes(format) : SLOW_ORIGINAL.test(imageRequest.key);
    const inSteps = stepsOf(imageRequest)?.flatMap(Object.keys) ?? [];
    const runsModel = catalogue.features.some(({ name, expensive, billed }) => (imageRequest.edits[name] || inSteps.includes(name)) && (expensive || billed));
    if (!isSlow || runsModel || lossless || (file && !isLocal)) return "";
    const kept = OF_PREVIEW.filter((name) => name in imageRequest.output).map((name) => [name, imageRequest.output[name]]);
    return language.write({ ...imageRequest, output: { format: "webp", quality: 80, effort: 0, ...Object.fromEntries(kept) } });
  }

  /** Shows the preview. Returns whether it is the whole answer, because it is a report. */
  async preview(address, signal) {
    const started = performance.now();
    const answer = await this.ask(address, { signal });
    const blob = await answer.blob();
    if (signal.aborted) return true;
    if (!blob.type.startsWith("image/")) {
      await this.present({ answer, blob, took: performance.now() - started, signal });
      return true;
    }
    this.arrived(false);
    this.url("after", blob);
    await this.app.stage.show("after", this.urls.after);
    if (signal.aborted) return true;
    performance.mark("preview");
    this.app.progress.busy(true, t("work.encoding"), { previewed: true });
    this.app.images.release();
    return false;
  }

  /** Takes away what stands in the place of an image or of a report. */
  arrived(isReport) {
    $("fault").hidden = true;
    this.app.controls.clear();
    $("report").hidden = !isReport;
    $("tools").hidden = isReport;
    $("stage").classList.remove("stale");
  }

  /** Returns an error if something required is missing: an image, or a parameter of a feature. */
  lacking() {
    const { imageRequest, catalogue } = this.app;
    if (!imageRequest.key) return { status: 404, message: t("work.select") };
    for (const feature of catalogue.features) {
      const { name } = feature;
      const elements = [imageRequest.edits[name] ?? []].flat();
      for (const [at, values] of elements.entries()) {
        const missing = feature.parameters.find((each) => each.required && !(each.name in values));
        if (missing) return { status: 400, message: t("work.required", { name: [name, ...(elements.length > 1 ? [at] : []), missing.name].join("."), help: missing.help }) };
      }
    }
    return null;
  }

  async present({ answer, blob, took, signal }) {
    const { comparison } = this.app;
    const isReport = blob.type.startsWith("application/json");
    this.arrived(isReport);
    this.result = { bytes: blob.size, type: blob.type };
    this.app.download.offer(blob, this.name(blob.type), Boolean(this.app.file));
    if (isReport) $("report").replaceChildren(report(JSON.parse(await blob.text())));
    else await this.showResult(blob, signal);
    if (signal.aborted) return;
    outdate(false);
    showTime(took, answer);
    this.figures(this.original ?? undefined);
    await this.learnt();
    if (signal.aborted) return;
    this.app.controls.show(this.app.imageRequest); // what the sliders show depends on the image
    this.figures(this.original);
    this.app.formats.update();
    if (!isReport) return comparison.compare(signal);
    if (this.original) await comparison.hold(comparison.originalAddress(), "original", signal);
    if (!signal.aborted && this.urls.before && comparison.before) $("report").prepend(h("img", { class: "shown", alt: t("work.report-image"), src: this.urls.before }));
  }

  /** Returns a file name for the result. */
  name(type) {
    const extension = type.includes("json") ? "json" : format(type).toLowerCase().replace("jpeg", "jpg");
    return `${this.app.imageRequest.key.split("/").pop().replace(/\.\w+$/, "") || "image"}.${extension}`;
  }

  figures(original) {
    showOriginal(original, this.app.reducedFrom);
    showResult(this.result, this.original);
    this.app.tell();
  }

  async showResult(blob, signal) {
    const { stage, imageRequest, language } = this.app;
    this.url("after", blob);
    try {
      await stage.show("after", this.urls.after);
    } catch {
      // The browser cannot show this format, such as TIFF: show the same image as PNG, with the figures of the result.
      const shown = { ...imageRequest, output: { ...imageRequest.output, format: "png" } };
      for (const name of ["quality", "maxBytes", "lossless", "chromaSubsampling"]) delete shown.output[name];
      const answer = await this.ask(language.write(shown), { signal });
      this.url("after", await answer.blob());
      await stage.show("after", this.urls.after);
    }
    [this.result.width, this.result.height] = stage.sizes.after;
    performance.mark("shown");
  }

  url(which, blob) {
    const old = this.urls[which];
    if (old) setTimeout(() => URL.revokeObjectURL(old), REVOKED_AFTER);
    this.urls[which] = URL.createObjectURL(blob);
    if (which === "after") this.app.selection.show(this.urls.after);
  }

  /** Fetches the facts of the original, once, and after the result, which the visitor waits for. */
  learnt() {
    this.info ??= this.learn(this.originalRun.signal);
    return this.info;
  }

  /** Sets `original`, or null if the stack does not report on it. */
  async learn(signal) {
    const { kept, imageRequest, language } = this.app;
    if (kept) return void (this.original = kept.original);
    const { bucket, key } = imageRequest;
    try {
      const address = language.write({ ...empty(), bucket, key, edits: { info: {} } });
      const answer = await this.ask(address, { signal });
      this.original = await answer.json();
    } catch {
      if (!signal.aborted) this.original = null; // The request for the image itself reports the error.
    }
    this.isKnown = !signal.aborted;
  }
}
