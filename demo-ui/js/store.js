/** The files that the visitor has dropped, which the browser keeps across reloads in IndexedDB. */

const NAME = "image-handler";
const FILES = "files";
const KEPT = 20; // files at most; the oldest go first
const KEPT_BYTES = 300_000_000;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Keeps records {id, file, note, from, added}, in memory alone where the browser has no IndexedDB, such as in a private window. */
export class Store {
  constructor() {
    this.records = [];
    this.lasts = true; // whether files survive a reload
  }

  /** Reads the files of earlier visits. */
  async load() {
    try {
      const opening = indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(FILES, { keyPath: "id" });
      this.database = await done(opening);
      this.records = (await done(this.files("readonly").getAll())).sort((one, other) => one.added - other.added);
    } catch {
      this.lasts = false;
    }
  }

  files(mode) {
    return this.database.transaction(FILES, mode).objectStore(FILES);
  }

  get(id) {
    return this.records.find((each) => each.id === id);
  }

  async add({ file, note, from }) {
    const record = { id: crypto.getRandomValues(new Uint32Array(1))[0].toString(36), file, note, from, added: Date.now() };
    this.records.push(record);
    while (this.records.length > KEPT || (this.records.length > 1 && this.bytes > KEPT_BYTES)) await this.remove(this.records[0].id);
    try {
      if (this.lasts) await done(this.files("readwrite").put(record));
    } catch {
      this.lasts = false; // no room, or not allowed
    }
    return record;
  }

  get bytes() {
    return this.records.reduce((sum, { file }) => sum + file.size, 0);
  }

  async remove(id) {
    this.records = this.records.filter((each) => each.id !== id);
    if (this.lasts) await done(this.files("readwrite").delete(id));
  }
}
