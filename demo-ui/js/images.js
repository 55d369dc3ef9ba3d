/** The images to choose from: those of the source, folder by folder, if they may be listed, else the samples. */

import { $, h, icon } from "./dom.js";
import { t } from "./messages.js";
import { described } from "./service.js";

const THUMB = { edits: { resize: { width: 160, height: 160, fit: "inside", withoutEnlargement: true } }, output: { format: "webp", quality: 70, animated: false } };
const PICTURE = /\.(jpe?g|png|webp|gif|avif|hei[cf]|tiff?|bmp|ico|svg)$|(^|\/)[^.]+$/i;
const PHOTOGRAPH = /\.(jpe?g|hei[cf])$/i;
const NO_PICTURE = [403, 404, 413, 415, 422]; // other errors, such as a busy server, are not caused by the file
const ENOUGH = 6;
const MOST_SUGGESTED = 500;
const MANY = 13; // images, from which on they can be filtered
const GRAPHICS = /\.(png|svg|gif|ico)$/i; // shown whole: their edges matter

export class Images {
  constructor(service, { address, choose, again }) {
    this.service = service;
    this.address = address; // request of a thumbnail → its URL
    this.choose = choose;
    this.again = again;
    this.keys = [];
    this.bytes = new Map(); // of the listed images, by key
    this.bucket = "";
    this.current = "";
    this.late = new Set(); // thumbnails that wait for the selected image
    this.shut = new Set(); // thumbnails that wait for the token
    this.released = false;
    $("images-filter").addEventListener("input", () => this.filter());
    $("buckets").addEventListener("change", ({ target }) => this.enter(target.value).catch((error) => this.note(...described(error))));
  }

  /** Loads the images of the default source, or the samples, and returns their keys. */
  async load() {
    try {
      await this.enter("");
    } catch (error) {
      await this.samples(error);
    }
    return this.keys;
  }

  async enter(bucket) {
    const first = await this.service.images({ bucket, prefix: "" });
    this.keys = [];
    this.bucket = bucket === first.buckets[0] ? "" : bucket;
    this.late.clear();
    this.shut.clear();
    $("thumbs").replaceChildren();
    this.offer(first.buckets, first.bucket);
    // Open the first folders too, in case the source has no images outside folders.
    const folders = [...first.prefixes];
    const opened = [first];
    while (folders.length && opened.reduce((count, page) => count + this.picturesOf(page).length, 0) < ENOUGH && opened.length < 4) {
      opened.push(await this.service.images({ bucket, prefix: folders.shift() }));
    }
    const keys = opened.flatMap((page) => this.picturesOf(page));
    this.add([...keys.filter((key) => PHOTOGRAPH.test(key)), ...keys.filter((key) => !PHOTOGRAPH.test(key))]);
    for (const page of opened) this.rest(page, page === first ? folders : page.prefixes);
    this.note(this.keys.length || folders.length ? "" : t("images.none"));
  }

  /** Offers the configured buckets, if there are several. */
  offer(names, current) {
    $("buckets").replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    $("buckets").value = current;
    $("buckets").hidden = names.length < 2;
  }

  /** Adds buttons for the folders of a page and for the next page. */
  rest({ bucket, prefix, cursor }, folders) {
    for (const folder of folders) this.opener(folder, { bucket, prefix: folder }, "folder");
    if (cursor) this.opener(prefix ? t("images.more", { folder: prefix }) : t("images.more-source"), { bucket, prefix, cursor }, "plus");
  }

  opener(text, wanted, symbol) {
    const item = h("li", {}, h("button", { type: "button", class: "folder", onclick: () => this.open(item, wanted) }, icon(symbol), h("span", {}, text)));
    $("thumbs").append(item);
  }

  async open(item, wanted) {
    const button = item.firstElementChild;
    button.disabled = true;
    try {
      const page = await this.service.images(wanted);
      this.add(this.picturesOf(page), item);
      this.rest(page, page.prefixes);
      item.remove();
    } catch (error) {
      button.disabled = false;
      this.note(...described(error));
    }
  }

  /** Shows the samples if the source may not be listed. */
  async samples(error) {
    const samples = await fetch("samples.json").then((answer) => (answer.ok ? answer.json() : { keys: [] }));
    this.bucket = samples.bucket ?? "";
    this.add(samples.keys);
    if (error.status !== 401) return error.status === 404 ? this.note(t("images.samples")) : this.note(...described(error));
    this.offerToken(t("images.samples-token"));
  }

  offerToken(text) {
    this.note(text);
    $("images-note").append(h("button", { type: "button", class: "quiet", onclick: () => this.withToken() }, t("images.enter-token")));
  }

  async withToken() {
    const given = await this.service.askToken(t("images.token-why"));
    if (!given) return;
    this.service.token = given;
    try {
      await this.enter("");
      this.mark(this.current);
      this.again();
    } catch (error) {
      if (error.status === 401) this.service.token = "";
      if (error.status === 401) this.note(t("token.wrong"));
      else this.note(...described(error));
    }
  }

  note(...parts) {
    $("images-note").replaceChildren(...parts);
  }

  add(keys, before = null) {
    this.keys.push(...keys);
    for (const key of keys) {
      if (before) before.before(this.thumb(key));
      else $("thumbs").append(this.thumb(key));
    }
    $("keys").replaceChildren(...this.keys.slice(0, MOST_SUGGESTED).map((key) => h("option", { value: key })));
    $("images-filter").hidden = this.keys.length < MANY;
    this.filter();
    this.mark(this.current);
  }

  /** Hides the images whose names do not contain what is typed. */
  filter() {
    const text = $("images-filter").value.toLowerCase();
    for (const button of $("thumbs").querySelectorAll("[data-key]")) button.parentElement.hidden = !button.dataset.key.toLowerCase().includes(text);
  }

  thumb(key) {
    const image = h("img", { alt: "", width: 120, height: 90, loading: "lazy", decoding: "async", onload: () => image.classList.add("there") });
    const button = h("button", { type: "button", class: GRAPHICS.test(key) ? "thumb whole" : "thumb", title: key, "data-key": key, onclick: () => this.choose({ bucket: this.bucket, key }) }, image, h("span", {}, key.split("/").pop()));
    const item = h("li", {}, button);
    const address = this.thumbAddress(key);
    image.addEventListener("error", () => this.fetched(image, item, address), { once: true });
    this.late.add(() => (this.service.signs ? this.fetched(image, item, address) : (image.src = address)));
    if (this.released) this.release();
    return item;
  }

  /** Loads the thumbnails, after the selected image. */
  release() {
    this.released = true;
    for (const waiting of this.service.token ? [this.late, this.shut] : [this.late]) {
      const loads = [...waiting];
      waiting.clear();
      for (const load of loads) load();
    }
  }

  /** Fetches a thumbnail that <img> cannot load: the stack needs a signature, or the file is not an image. */
  async fetched(image, item, address) {
    try {
      const answer = await this.service.picture(address, { quiet: true });
      image.src = URL.createObjectURL(await answer.blob());
    } catch (error) {
      if (error.status === 401) {
        this.shut.add(() => this.fetched(image, item, address));
        if (!$("images-note").textContent) this.offerToken(t("images.wait-token"));
      }
      if (NO_PICTURE.includes(error.status)) item.remove();
    }
  }

  mark(key) {
    this.current = key;
    for (const button of $("thumbs").querySelectorAll(".thumb")) {
      if (button.dataset.key === key) {
        button.setAttribute("aria-current", "true");
        bringIntoSight(button, $("thumbs").parentElement);
      } else button.removeAttribute("aria-current");
    }
  }

  /** Returns the key of an image to use as an overlay: one that is called logo, else a PNG, else any. */
  overlay() {
    return this.keys.find((key) => /logo.*\.png$/i.test(key)) ?? this.keys.find((key) => /\.png$/i.test(key)) ?? this.keys[0] ?? "";
  }

  thumbAddress(key) {
    return this.address({ bucket: this.bucket, key, ...THUMB });
  }

  /** Returns the URL of the thumbnail of an image if it is loaded. */
  thumbnail(key) {
    const image = $("thumbs").querySelector(`[data-key="${CSS.escape(key)}"] img.there`);
    return image?.currentSrc ?? "";
  }

  /** Returns the keys of the images of a page. */
  picturesOf({ images }) {
    const listed = images.filter(({ key }) => PICTURE.test(key));
    for (const { key, bytes } of listed) this.bytes.set(key, bytes);
    return listed.map(({ key }) => key);
  }

  photo() {
    return this.keys.find((key) => PHOTOGRAPH.test(key)) ?? this.keys[0] ?? "";
  }
}

/** Scrolls a list, and nothing around it, until an element is in sight. */
function bringIntoSight(element, list) {
  const [inner, outer] = [element.getBoundingClientRect(), list.getBoundingClientRect()];
  const beyond = (start, end) => (inner[start] < outer[start] ? inner[start] - outer[start] : Math.max(0, inner[end] - outer[end]));
  list.scrollBy(beyond("left", "right"), beyond("top", "bottom"));
}
