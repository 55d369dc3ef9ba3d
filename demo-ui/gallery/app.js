/** The gallery: what it consists of, and which part of it is shown. */

import "../js/scheme.js"; // first: the others wait for texts
import { $ } from "../js/dom.js";
import { watchDrops } from "../js/drops.js";
import { offerLanguages } from "../js/language.js";
import { listOf, t } from "../js/messages.js";
import { theme } from "../js/theme.js";
import { Api } from "./api.js";
import { enter, hasCode } from "./entry.js";
import { History } from "./history.js";
import { Library } from "./library.js";
import { ask, complain, notify } from "./notices.js";
import { PictureView } from "./picture.js";
import { Queue } from "./queue.js";
import { labelOf } from "./recipes.js";
import { ShareDialog, showDevice } from "./share.js";
import { Trash } from "./trash.js";
import { ACTIVE, Uploads } from "./uploads.js";

const ROUTE = /^#\/([\w-]+)(?:\/([\w-]+))?$/;

class App {
  constructor(api, session) {
    this.api = api;
    this.session = session;
    this.library = new Library(api);
    Object.assign(this.library, { used: session.used.pictures, limit: session.limits.pictures });
    this.trash = new Trash(api, this.library);
    this.uploads = new Uploads(api, this.library, session);
    const parts = { api, library: this.library, session, trash: this.trash, uploads: this.uploads };
    this.history = new History(parts);
    this.queue = new Queue(this.uploads, (picture) => this.go(picture.id));
    this.share = new ShareDialog(parts);
    this.view = new PictureView({ ...parts, share: this.share, go: (...where) => this.go(...where) });
    this.listen();
  }

  listen() {
    for (const input of [$("files"), $("camera")]) {
      input.addEventListener("change", () => {
        this.add([...input.files]);
        input.value = "";
      });
    }
    watchDrops((files) => this.add(files));
    addEventListener("hashchange", () => (hasCode() ? location.reload() : this.route()));
    this.library.addEventListener("change", () => this.draw());
    this.library.addEventListener("trouble", ({ error }) => this.banner(navigator.onLine ? error.message : t("offline")));
    addEventListener("offline", () => this.banner(t("offline")));
    addEventListener("online", () => this.banner(""));
    document.addEventListener("keydown", (event) => this.key(event));
    $("skip").addEventListener("click", (event) => {
      event.preventDefault(); // the fragment names the picture that is shown
      $("main").focus();
    });
    $("devices").addEventListener("click", () => showDevice(this.api));
    $("delete-all").addEventListener("click", () => this.removeAll());
  }

  async start() {
    const { expireDays } = this.session;
    $("promise").textContent = t("promise", { count: expireDays });
    const names = this.session.recipes.map((recipe) => labelOf(recipe));
    $("offer").textContent = listOf(names, "disjunction");
    for (const id of ["foot", "devices", "usage"]) $(id).hidden = false;
    this.draw();
    this.route();
    document.documentElement.dataset.ready = "true";
    performance.mark("usable");
    await this.library.look();
    if (ROUTE.test(location.hash)) await this.route(); // not home, where an upload may have been opened by now
    document.documentElement.dataset.listed = "true";
  }

  // --- which part is shown

  go(id, result = "", { replace = false } = {}) {
    const hash = id ? `#/${id}${result ? `/${result}` : ""}` : "#";
    if (replace) history.replaceState(null, "", hash);
    else history.pushState(null, "", hash);
    return this.route();
  }

  async route() {
    const [, id, result = ""] = ROUTE.exec(location.hash) ?? [];
    if (!id) return this.showHome();
    if (this.view.picture?.id === id) return this.view.showResult(result);
    let picture = this.library.get(id);
    if (!picture && this.library.etag === "" && !this.library.pictures.length) return; // it is about to be listed
    try {
      picture ??= await this.api.picture(id);
    } catch (error) {
      if (ROUTE.exec(location.hash)?.[1] !== id) return;
      complain(error);
      return this.go("", "", { replace: true });
    }
    if (!this.library.get(id)) this.library.put(picture);
    $("home").hidden = true;
    scrollTo(0, 0);
    this.view.open(picture, result);
  }

  showHome() {
    const wasOpen = !$("picture").hidden;
    const { picture } = this.view;
    this.view.close();
    $("home").hidden = false;
    if (!wasOpen) return;
    scrollTo(0, 0);
    const link = picture && $("shots").querySelector(`[data-id="${picture.id}"] a`);
    (link ?? $("main")).focus({ preventScroll: !link });
  }

  key(event) {
    if (event.target.matches("input, select, textarea") || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && !$("picture").hidden) this.go("");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || $("home").hidden || $("history").hidden) return;
    event.preventDefault();
    $("search").focus();
  }

  // --- uploads

  /** Uploads files; a single one is opened at once. What waits for its deletion makes room before. */
  async add(files) {
    if (!files.length) return;
    await this.trash.flush();
    const isAlone = files.length === 1 && !this.uploads.items.some(({ state }) => ACTIVE.includes(state));
    const items = this.uploads.add(files);
    if (!isAlone) return this.go("");
    history.pushState(null, "", "#");
    $("home").hidden = true;
    scrollTo(0, 0);
    this.view.openUpload(items[0]);
  }

  // --- the rest of the page

  draw() {
    const { library } = this;
    const used = library.used - library.hidden.size;
    const { limit } = library;
    $("usage-text").textContent = t("usage", { used, limit });
    Object.assign($("usage-meter"), { max: limit, value: used, high: Math.ceil(limit * 0.9) });
    $("home").classList.toggle("fresh", !library.used && !library.pictures.length);
    $("full").hidden = used < limit;
    $("full").textContent = t("full", { limit });
    $("delete-all").hidden = !library.used;
    if (navigator.onLine && !library.failures) this.banner("");
  }

  banner(text) {
    if ($("banner").textContent !== text) $("banner").textContent = text;
    $("banner").hidden = !text;
  }

  async removeAll() {
    if (!(await ask(t("delete.all-sure"), t("delete.all-note", { count: this.library.used }), t("delete.all-yes")))) return;
    try {
      await this.uploads.cancelAll();
      this.uploads.clear();
      await this.api.removeAll();
      Object.assign(this.session, await this.api.session()); // as another visitor
      this.go("");
      Object.assign(this.library, { pictures: [], used: 0, etag: "" });
      await this.library.look();
      notify(t("delete.all-done"));
    } catch (error) {
      complain(error);
    }
  }
}

theme();
offerLanguages();
const api = new Api();
await new App(api, await enter(api)).start();
