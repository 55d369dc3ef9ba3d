/** The queue of uploads: two at a time, each with progress, cancel and retry; what cannot be sent now is sent later. */

import { isTemporary, refusal, transfer, upload } from "./api.js";
import { t } from "../js/messages.js";
import { clean } from "./names.js";

const AT_ONCE = 2;
const HASHED = 64_000_000; // bytes: the browser reads a file into memory to hash it
const FIRST_PAUSE = 2000; // milliseconds before an upload that was cut off is tried again
const LAST_PAUSE = 30_000;

/** The states that end by themselves. */
export const ACTIVE = ["waiting", "sending", "paused"];

/** One file: `state` is one of ACTIVE, "done", "duplicate", "failed" or "cancelled". */
class Upload {
  constructor(file) {
    this.file = file;
    this.name = clean(file.name) || t("upload.unnamed");
    this.state = "waiting";
    this.progress = 0;
    this.picture = null;
    this.error = null;
    this.attempts = 0;
    this.allowsDuplicate = false;
  }
}

/** Events: `change` for every step of progress, `done` with the upload whose picture is stored. */
export class Uploads extends EventTarget {
  constructor(api, library, session) {
    super();
    this.api = api;
    this.library = library;
    this.session = session; // its limits, and where the bytes go
    this.items = [];
    addEventListener("online", () => this.resume());
    addEventListener("beforeunload", (event) => this.items.some(({ state }) => ACTIVE.includes(state)) && event.preventDefault());
  }

  /** Queues files, and returns their uploads. */
  add(files) {
    const added = [...files].map((file) => new Upload(file));
    this.items.push(...added);
    this.start();
    return added;
  }

  start() {
    const sending = this.items.filter(({ state }) => state === "sending").length;
    for (const item of this.items.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - sending)) this.run(item);
    this.changed();
  }

  async run(item) {
    item.state = "sending";
    item.controller = new AbortController();
    try {
      await this.check(item);
      const picture = await this.send(item, item.controller.signal);
      Object.assign(item, { state: "done", picture, progress: 1 });
      this.library.put(picture);
      this.dispatchEvent(Object.assign(new Event("done"), { item }));
    } catch (error) {
      if (item.state === "sending") this.fail(item, error);
    }
    this.start();
  }

  async check(item) {
    const { bytes } = this.session.limits;
    if (!item.file.size) throw refusal(400, { code: "empty_file" });
    if (bytes && item.file.size > bytes) throw refusal(413, { code: "too_large" });
    item.sha256 ??= await digest(item.file);
    if (!item.sha256 || item.allowsDuplicate) return;
    const earlier = this.library.shown.find(({ sha256, status }) => sha256 === item.sha256 && ["processing", "ready"].includes(status));
    if (earlier) throw Object.assign(refusal(409, { code: "duplicate" }), { picture: earlier }); // without sending it
  }

  async send(item, signal) {
    const progress = (share) => {
      item.progress = share;
      this.changed();
    };
    const about = { name: item.name, ...(item.sha256 ? { sha256: item.sha256 } : {}), ...(item.allowsDuplicate ? { duplicate: "allow" } : {}) };
    if (this.session.uploads !== "store") {
      try {
        return await upload(form({ ...about, image: item.file }), { progress, signal });
      } catch (error) {
        // An attempt that was cut off has left a place in the gallery, which is not filled any more.
        if (error.code !== "duplicate" || !item.attempts || error.picture?.status !== "uploading") throw error;
        item.picture = error.picture;
        await this.forget(item);
        return upload(form({ ...about, image: item.file }), { progress, signal });
      }
    }
    await this.forget(item); // an earlier attempt may have been granted already
    const type = item.file.type || "application/octet-stream";
    const granted = await this.api.begin({ ...about, bytes: item.file.size, type }, signal);
    const { upload: target, ...picture } = granted;
    item.picture = picture;
    await transfer(target.url, form({ ...target.fields, file: item.file }), { progress, signal });
    return picture;
  }

  fail(item, error) {
    if (!("status" in error)) console.error(error);
    item.error = error;
    item.progress = 0;
    if (error.code === "duplicate") Object.assign(item, { state: "duplicate", picture: null, earlier: error.picture });
    else if (isTemporary(error)) this.pause(item, error);
    else Object.assign(item, { state: "failed", isFinal: [400, 413, 415, 422].includes(error.status) });
    if (error.code !== "gallery_full") return;
    for (const other of this.items) if (other.state === "waiting") Object.assign(other, { state: "failed", error }); // they would be refused too
    this.library.changed(); // another tab has filled it
  }

  /** Tries again by itself: after a pause, and at once when the browser is online again. */
  pause(item, { retryAfter }) {
    item.state = "paused";
    item.attempts += 1;
    const pause = Math.max(retryAfter * 1000, Math.min(LAST_PAUSE, FIRST_PAUSE * 2 ** (item.attempts - 1)));
    item.retryAt = Date.now() + pause;
    clearTimeout(item.timer);
    item.timer = setTimeout(() => navigator.onLine && this.retry(item), pause);
  }

  resume() {
    for (const item of this.items) if (item.state === "paused") this.retry(item);
  }

  retry(item) {
    clearTimeout(item.timer);
    if (["paused", "failed", "cancelled"].includes(item.state)) item.state = "waiting";
    this.start();
  }

  keepBoth(item) {
    Object.assign(item, { state: "waiting", allowsDuplicate: true });
    this.start();
  }

  /** Stops an upload; the promise is fulfilled once the server has given up its place. */
  async cancel(item) {
    clearTimeout(item.timer);
    item.state = "cancelled";
    item.controller?.abort();
    const forgotten = this.forget(item);
    this.start();
    await forgotten;
  }

  /** Stops all that is not finished. */
  cancelAll() {
    const active = this.items.filter(({ state }) => ACTIVE.includes(state));
    for (const item of active) item.state = "cancelled"; // so that the place of one is not taken by the next
    return Promise.all(active.map((item) => this.cancel(item)));
  }

  /** Gives up the place of an upload that was granted and not finished. */
  async forget(item) {
    const { picture } = item;
    item.picture = null;
    if (!picture) return;
    try {
      await this.api.remove(picture.id);
    } catch (error) {
      if (error.status !== 404 && !isTemporary(error)) throw error; // without it, the place is free after an hour
    }
  }

  /** Removes what has ended from the list. */
  clear(items = this.items.filter(({ state }) => !ACTIVE.includes(state))) {
    this.items = this.items.filter((item) => !items.includes(item));
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

/** Returns the SHA-256 of a file in hexadecimal digits; "" where the browser cannot, as on plain http. */
async function digest(file) {
  if (!globalThis.crypto?.subtle || file.size > HASHED) return "";
  let bytes;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    throw refusal(400, { code: "unreadable_file" }); // moved or deleted since it was chosen
  }
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(hash)].map((each) => each.toString(16).padStart(2, "0")).join("");
}
