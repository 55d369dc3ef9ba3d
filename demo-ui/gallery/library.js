/** The visitor's pictures as the server has them, latest first. It looks again while one of them is being processed. */

import { isTemporary } from "./api.js";

const PAGE = 60;
const FIRST_PAUSE = 200; // milliseconds between two looks while something is in process; each is longer than the one before
const GROWTH = 1.4;
const PAUSE = 1000; // the longest of them
const PATIENCE = 15_000; // between two looks at a server that does not answer, at most
const OPEN = ["uploading", "processing"];

/** Events: `change` after each look and change, `trouble` with the error of a look that failed. */
export class Library extends EventTarget {
  constructor(api) {
    super();
    this.api = api;
    this.pictures = [];
    this.hidden = new Set(); // pictures that wait for their deletion
    this.search = "";
    this.used = 0;
    this.limit = 0;
    this.pages = 1;
    this.cursor = null;
    this.etag = "";
    this.failures = 0;
    this.pause = FIRST_PAUSE;
    this.looking = null;
    addEventListener("focus", () => this.look());
    addEventListener("online", () => this.look());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
  }

  get shown() {
    return this.pictures.filter(({ id }) => !this.hidden.has(id));
  }

  get isOpen() {
    return this.pictures.some(({ status }) => OPEN.includes(status));
  }

  get(id) {
    return this.pictures.find((each) => each.id === id) ?? null;
  }

  /** Fetches the list. Of several calls at the same time the last one counts. */
  async look() {
    clearTimeout(this.timer);
    this.looking?.abort();
    const { signal } = (this.looking = new AbortController());
    try {
      await this.fetch(signal);
      this.failures = 0;
      this.dispatchEvent(new Event("change"));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!("status" in error)) throw error;
      this.failures += 1;
      this.dispatchEvent(Object.assign(new Event("trouble"), { error }));
      if (!isTemporary(error)) return;
    }
    if (signal.aborted) return;
    const pause = this.failures ? Math.min(PATIENCE, PAUSE * 2 ** this.failures) : this.pause;
    this.pause = Math.min(PAUSE, this.pause * GROWTH);
    if (this.failures || this.isOpen) this.timer = setTimeout(() => this.look(), pause);
  }

  async fetch(signal) {
    const { search } = this;
    const first = await this.api.pictures({ search, limit: PAGE, etag: this.etag }, signal);
    if (!first) return;
    this.pause = FIRST_PAUSE; // something has changed: what is next is soon ready too
    const found = [...first.pictures];
    let { cursor } = first;
    for (let page = 1; page < this.pages && cursor; page += 1) {
      const next = await this.api.pictures({ search, limit: PAGE, cursor }, signal);
      found.push(...next.pictures);
      cursor = next.cursor;
    }
    Object.assign(this, { pictures: found, cursor, used: first.used, limit: first.limit, etag: first.etag });
  }

  find(search) {
    Object.assign(this, { search, pages: 1, etag: "" });
    return this.look();
  }

  more() {
    this.pages += 1;
    this.etag = "";
    return this.look();
  }

  /** Takes a picture as an answer describes it, before the next look. */
  put(picture) {
    const at = this.pictures.findIndex(({ id }) => id === picture.id);
    if (at < 0) {
      this.pictures.unshift(picture);
      this.used += 1;
    } else this.pictures[at] = picture;
    this.changed();
  }

  drop(id) {
    const count = this.pictures.length;
    this.pictures = this.pictures.filter((each) => each.id !== id);
    if (this.pictures.length < count) this.used -= 1;
    this.changed();
  }

  hide(id, is) {
    if (is) this.hidden.add(id);
    else this.hidden.delete(id);
    this.dispatchEvent(new Event("change"));
  }

  /** Shows a change of this page's own; the next look asks for the whole list. */
  changed() {
    this.etag = "";
    this.dispatchEvent(new Event("change"));
    clearTimeout(this.timer);
    this.pause = FIRST_PAUSE;
    this.timer = setTimeout(() => this.look(), FIRST_PAUSE);
  }
}
