/** Shows two images one over the other or side by side, with divider, zoom and pan. */

import { $ } from "./dom.js";
import { t } from "./messages.js";

const MOST = 32;
const MARGIN = 24;
const STEP = 1.35;

export class Stage {
  constructor() {
    this.view = $("view");
    this.split = $("split");
    this.images = { before: $("before"), after: $("after") };
    this.sizes = { before: null, after: null };
    this.turns = {}; // the last call for each pane: an older image may be loaded later
    this.mode = "slider";
    this.zoom = null; // null: fit to window
    this.pan = [0, 0];
    this.share = 50;
    this.pointers = new Map();
    this.watchSplit();
    this.watchView();
    new ResizeObserver(() => this.draw()).observe(this.view);
  }

  /**
   * Shows an image by its URL, drawn larger by a factor if it stands for a larger one. Returns whether it is the latest;
   * rejects if the browser cannot show it.
   */
  async show(which, address, factor = 1) {
    const turn = (this.turns[which] = {});
    const image = this.images[which];
    if (!address) {
      image.hidden = true;
      this.sizes[which] = null;
      this.draw();
      return true;
    }
    const next = new Image();
    next.src = address;
    await next.decode();
    if (this.turns[which] !== turn) return false;
    image.src = address;
    image.hidden = false;
    this.sizes[which] = [next.naturalWidth || 300, next.naturalHeight || 300].map((side) => side * factor);
    this.draw();
    return true;
  }

  setMode(mode) {
    this.mode = mode;
    this.view.dataset.mode = mode;
    this.draw();
  }

  /** Returns page pixels per pixel of the result at which it fits; never enlarges. */
  get fit() {
    const [width, height] = this.room;
    const [w, h] = this.sizes.after ?? this.sizes.before ?? [1, 1];
    return Math.min(1, Math.max(40, width - MARGIN) / w, Math.max(40, height - MARGIN) / h);
  }

  get room() {
    const { clientWidth, clientHeight } = this.view;
    return [this.mode === "side" ? clientWidth / 2 : clientWidth, clientHeight];
  }

  get scale() {
    return this.zoom ?? this.fit;
  }

  zoomBy(factor, [x, y] = [0, 0]) {
    const before = this.scale;
    const after = Math.min(MOST, Math.max(this.fit / 4, before * factor));
    this.pan = [x - ((x - this.pan[0]) * after) / before, y - ((y - this.pan[1]) * after) / before];
    this.zoom = after;
    this.draw();
  }

  fitAll() {
    this.zoom = this.zoom === null && this.fit < 1 ? 1 : null;
    this.pan = [0, 0];
    this.draw();
  }

  panBy(x, y) {
    this.pan = [this.pan[0] + x, this.pan[1] + y];
    this.draw();
  }

  setShare(share) {
    this.share = Math.min(100, Math.max(0, share));
    this.split.setAttribute("aria-valuenow", String(Math.round(this.share)));
    this.split.setAttribute("aria-valuetext", t("view.share", { percent: Math.round(this.share) }));
    this.view.style.setProperty("--split", String(this.share));
  }

  draw() {
    const there = ["before", "after"].filter((which) => this.sizes[which]);
    this.view.dataset.there = there.join(" ");
    this.split.hidden = this.mode !== "slider" || there.length < 2;
    const result = this.sizes.after ?? this.sizes.before;
    if (!result) return;
    const style = this.view.style;
    const boxes = { after: result, before: this.mode === "side" ? this.asLarge(this.sizes.before ?? result, result) : result };
    for (const [which, [width, height]] of Object.entries(boxes)) {
      const frame = this.images[which].parentElement.style;
      frame.setProperty("--w", `${width * this.scale}px`);
      frame.setProperty("--h", `${height * this.scale}px`);
    }
    this.keepInSight(result);
    style.setProperty("--x", `${this.pan[0]}px`);
    style.setProperty("--y", `${this.pan[1]}px`);
    for (const image of Object.values(this.images)) image.draggable = this.zoom === null; // else a drag moves the image
    this.view.classList.toggle("pixels", this.scale >= 3);
    this.view.classList.toggle("moved", this.zoom !== null);
    $("zoom-level").textContent = `${Math.round(this.scale * 100)} %`;
  }

  /** Returns the size of the original, scaled so that it fills its half as the result fills the other. */
  asLarge([width, height], [w, h]) {
    const [roomX, roomY] = this.room;
    const ours = Math.min((roomX - MARGIN) / width, (roomY - MARGIN) / height);
    const theirs = Math.min((roomX - MARGIN) / w, (roomY - MARGIN) / h);
    const factor = Math.min(ours, Math.max(w / width, h / height) * theirs) / theirs;
    return [width * factor, height * factor];
  }

  keepInSight([width, height]) {
    const most = [(width * this.scale + this.room[0]) / 2 - 48, (height * this.scale + this.room[1]) / 2 - 48];
    this.pan = this.zoom === null ? [0, 0] : this.pan.map((at, axis) => Math.min(most[axis], Math.max(-most[axis], at)));
  }

  watchSplit() {
    const follow = (event) => {
      const { left, width } = this.view.getBoundingClientRect();
      this.setShare(((event.clientX - left) / width) * 100);
    };
    this.split.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      event.preventDefault();
      this.split.focus();
      this.split.setPointerCapture(event.pointerId);
      this.split.addEventListener("pointermove", follow);
    });
    for (const end of ["pointerup", "pointercancel"]) this.split.addEventListener(end, () => this.split.removeEventListener("pointermove", follow));
    this.split.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.setShare(this.share + step);
    });
  }

  watchView() {
    this.view.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 160), this.fromMiddle(event));
    }, { passive: false });
    this.view.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      this.view.setPointerCapture(event.pointerId);
    });
    this.view.addEventListener("pointermove", (event) => this.pointerMoved(event));
    for (const end of ["pointerup", "pointercancel"]) this.view.addEventListener(end, ({ pointerId }) => this.pointers.delete(pointerId));
    this.view.addEventListener("dblclick", () => this.fitAll());
    this.view.addEventListener("keydown", (event) => this.key(event));
  }

  pointerMoved(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const now = [event.clientX, event.clientY];
    this.pointers.set(event.pointerId, now);
    if (others.length === 1) {
      const apart = ([x, y]) => Math.hypot(x - others[0][0], y - others[0][1]);
      this.zoomBy(apart(now) / Math.max(1, apart(last)), this.fromMiddle(event));
    } else if (!others.length && this.zoom !== null) {
      this.panBy(now[0] - last[0], now[1] - last[1]);
    }
  }

  fromMiddle({ clientX, clientY }) {
    const { left, top } = this.view.getBoundingClientRect();
    const [width, height] = this.room;
    return [((clientX - left) % width) - width / 2, clientY - top - height / 2];
  }

  key(event) {
    if (event.target !== this.view || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
    if (moves[event.key]) this.panBy(...moves[event.key]);
    else if ("+=".includes(event.key)) this.zoomBy(STEP);
    else if (event.key === "-") this.zoomBy(1 / STEP);
    else if (event.key === "0") this.fitAll();
    else return;
    event.preventDefault();
  }
}
