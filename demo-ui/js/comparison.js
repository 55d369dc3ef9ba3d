/** The image that the result is compared with: the original, or the original with the same crop. */

import { empty } from "./address.js";
import { $ } from "./dom.js";
import { showOriginal } from "./figures.js";
import { t } from "./messages.js";
import { stepsOf } from "./steps.js";

const SHOWN_BY_BROWSERS = ["jpeg", "png", "webp", "gif", "avif", "svg"];
const NAMED_SO = /\.(jpe?g|png|webp|gif|avif|svg)$/i;
const FIRST_LOOK = { edits: { resize: { width: 1024, height: 1024, fit: "inside", withoutEnlargement: true } }, output: { format: "webp", quality: 70, animated: false } };
const OF_THUMBNAIL = 8; // how much larger than its thumbnail an image is drawn at first
const MOST_BYTES = 6_000_000;
const MOST_PIXELS = 20_000_000;
export const PREVIEW = { resize: { width: 2048, height: 2048, fit: "inside", withoutEnlargement: true } };

export class Comparison {
  constructor(app) {
    this.app = app;
    this.before = ""; // address of what is shown as the original
    this.isWhole = true;
    this.loading = null; // {address, promise} of what is fetched
  }

  /** Shows the new image before there is a result: its thumbnail at once, then the original or a small one. */
  async begin(signal) {
    const { stage, images, file, imageRequest, rendering } = this.app;
    this.before = "";
    this.app.overlays.reset();
    stage.show("after", null);
    const thumbnail = images.thumbnail(imageRequest.key);
    if (file) {
      rendering.url("before", file);
      stage.show("before", rendering.urls.before).catch(() => stage.show("before", null));
    } else if (thumbnail) stage.show("before", thumbnail, OF_THUMBNAIL);
    else $("stage").classList.add("stale"); // of the image before, until there is something to show
    this.tag("original");
    if (!file && imageRequest.key) await this.hold(this.originalAddress(), "original", signal);
    if (!signal.aborted && this.before) $("stage").classList.remove("stale");
  }

  /** Loads the image that the result is compared with. */
  async compare(signal = this.app.rendering.run.signal) {
    const { catalogue, imageRequest, language, mode } = this.app;
    const { original, result } = this.app.rendering;
    const { edits, bucket, key } = imageRequest;
    const features = catalogue.features.filter(({ name, group }) => group === "geometry" && edits[name]);
    const reshaping = features.filter(({ name, parameters }) => name !== "resize" && parameters.length);
    const ratio = ({ width, height }) => width / height;
    const differs = original && Math.abs(ratio(result) / ratio(original) - 1) > 0.02;
    const choosable = reshaping.length > 0 || (differs && features.length > 0);
    // Where nothing but the shape changes, both halves of the same crop would be equal.
    const standard = Object.keys(edits).every((name) => features.some((each) => each.name === name)) ? "original" : "frame";
    const isOrdered = Boolean(stepsOf(imageRequest)?.length); // what they leave of the image is not known
    const against = isOrdered || !choosable || mode === "side" ? "original" : this.app.against || standard;
    $("against").hidden = isOrdered || !choosable || mode !== "slider";
    for (const input of $("against").querySelectorAll("input")) input.checked = input.value === against;
    this.tag(against);
    const same = Object.fromEntries(features.map(({ name }) => [name, edits[name]]));
    const output = original?.frames > 1 ? { format: "webp", quality: 90 } : { format: "png" };
    const address = against === "frame" ? language.write({ ...empty(), bucket, key, edits: same, output }) : this.originalAddress();
    this.app.overlays.show();
    await this.hold(address, against, signal);
  }

  /** Says what the result is compared with. */
  tag(against) {
    this.isWhole = against === "original";
    $("before-tag").textContent = t(this.isWhole ? "view.original" : "view.original-crop");
  }

  async hold(address, against, signal) {
    const { file, rendering, stage } = this.app;
    const mine = (this.holding = {});
    if (address === this.before && !file) return;
    try {
      const blob = file && against === "original" ? await this.fileShown(signal) : await this.fetched(address, signal);
      if (signal.aborted || this.holding !== mine) return;
      rendering.url("before", blob);
      if (await stage.show("before", rendering.urls.before)) this.before = address;
    } catch {
      if (!signal.aborted && this.holding === mine) stage.show("before", null);
    }
  }

  /** Returns an image that may be on its way already. */
  async fetched(address, signal) {
    const { rendering } = this.app;
    if (this.loading?.address !== address || this.loading.signal.aborted) {
      this.loading = { address, signal, blob: rendering.ask(address, { signal }).then((answer) => answer.blob()) };
    }
    const { loading } = this;
    try {
      return await loading.blob;
    } finally {
      if (this.loading === loading) this.loading = null;
    }
  }

  /** Shows the original alone if there is no result. */
  async originalAlone(signal) {
    const { rendering, stage } = this.app;
    stage.show("after", null);
    await rendering.learnt();
    if (signal.aborted || !rendering.original) return;
    showOriginal(rendering.original);
    await this.hold(this.originalAddress(), "original", signal);
  }

  /** Returns the URL of the original if it is small and browsers can show it, else of a preview. */
  originalAddress() {
    const { bucket, key } = this.app.imageRequest;
    const plain = { ...empty(), bucket, key };
    const about = this.app.rendering.original;
    const isSmall = NAMED_SO.test(key) && this.app.images.bytes.get(key) <= MOST_BYTES;
    if (!about && this.app.rendering.isUnknown) return this.app.language.write(isSmall ? plain : { ...plain, ...FIRST_LOOK });
    const fine = about && SHOWN_BY_BROWSERS.includes(about.format) && about.bytes <= MOST_BYTES && about.width * about.height <= MOST_PIXELS;
    return this.app.language.write(fine ? plain : { ...plain, edits: PREVIEW, output: { format: "webp", quality: 90 } });
  }

  async fileShown(signal) {
    const { file, imageRequest, language, rendering } = this.app;
    try {
      (await createImageBitmap(file)).close();
      return file;
    } catch {
      const answer = await rendering.ask(language.write({ ...empty(), key: imageRequest.key, edits: PREVIEW, output: { format: "webp", quality: 90 } }), { signal });
      return answer.blob();
    }
  }
}
