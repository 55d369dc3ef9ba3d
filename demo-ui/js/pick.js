/** Selects a point or a box on the image as the feature gets it, with mouse, touch or keyboard. */

import { $, h } from "./dom.js";
import { t } from "./messages.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const RATIOS = ["", "1:1", "4:3", "3:2", "16:9", "3:4", "2:3", "9:16"];
const ratioOf = (text) => (text ? Number(text.split(":")[0]) / Number(text.split(":")[1]) : 0);
const LEAST = 0.01;
const MARGIN = 32;
const within = (value, least = 0, most = 1) => Math.min(most, Math.max(least, value));
const percent = (share) => `${Math.round(share * 1000) / 10}`;

/** The layer over the stage. The promise of `open` resolves when it is closed. */
export class Picker {
  constructor() {
    this.layer = $("pick");
    this.show = () => {};
    this.close = () => {};
  }

  /**
   * `kind` is point or box, `shares` is the current selection ([x, y] or [x, y, width, height]), `change(shares)` is called
   * for every change. `size` is the width and height of the image in pixels, as far as it is known. `isLive`: the result
   * is shown as soon as there is one.
   */
  open({ kind, address, shares, change, title, back, size, isLive = false }) {
    this.close();
    const image = h("img", { src: address, alt: "", draggable: "false" });
    this.show = (url) => isLive && (image.src = url);
    const mark = h("button", { type: "button", class: kind === "point" ? "cross" : "box" });
    const area = h("div", { class: "area" }, image, mark);
    const room = h("div", { class: "room" }, area);
    const done = h("button", { type: "button", class: "primary", onclick: () => this.close() }, t("pick.done"));
    const how = t(`pick.${kind}`);
    const figure = h("output", { class: "pick-size", hidden: kind === "point" });
    const lock = kind === "box" && h("select", { "aria-label": t("pick.ratio") }, RATIOS.map((each) => h("option", { value: each }, each || t("pick.any-ratio"))));
    this.layer.replaceChildren(h("div", { class: "pick-head" }, h("strong", {}, title), h("span", {}, how), figure, lock || null, done), room);
    this.layer.hidden = false;
    this.layer.parentElement.classList.add("picking");
    const told = (next) => {
      figure.textContent = kind === "box" && size?.width ? `${Math.round(next[2] * size.width)} × ${Math.round(next[3] * size.height)} px` : "";
      change(next);
    };
    const first = shares ?? (kind === "point" ? [0.5, 0.5] : [0.25, 0.25, 0.5, 0.5]);
    const model = kind === "point" ? new PointMark(area, mark, first, told) : new BoxMark(area, mark, first, told);
    model.draw();
    if (lock) lock.addEventListener("change", () => model.lock(ratioOf(lock.value)));
    mark.addEventListener("keydown", (event) => {
      const move = KEYS[event.key];
      if (!move) return;
      event.preventDefault();
      model.key(move.map((each) => each * 0.01), event.shiftKey);
    });
    const fit = new ResizeObserver(() => fitted(area, image, room));
    fit.observe(room);
    // What a change adds or removes below the stage must not move the image under the pointer.
    const stage = this.layer.parentElement;
    const keep = () => {
      stage.style.height = "";
      stage.style.height = `${stage.getBoundingClientRect().height}px`;
    };
    keep();
    addEventListener("resize", keep);
    image.addEventListener("load", () => fitted(area, image, room));
    const escape = (event) => event.key === "Escape" && this.close();
    this.layer.addEventListener("keydown", escape);
    mark.focus();
    return new Promise((resolve) => {
      this.close = () => {
        this.layer.removeEventListener("keydown", escape);
        fit.disconnect();
        removeEventListener("resize", keep);
        stage.style.height = "";
        this.layer.hidden = true;
        this.layer.parentElement.classList.remove("picking");
        this.layer.replaceChildren();
        this.close = this.show = () => {};
        back?.focus();
        resolve();
      };
    });
  }
}

/** Fits the image into the available space, at most twice its size. */
function fitted(area, image, room) {
  if (!image.naturalWidth) return;
  const scale = Math.min(2, (room.clientWidth - MARGIN) / image.naturalWidth, (room.clientHeight - MARGIN) / image.naturalHeight);
  area.style.width = `${image.naturalWidth * scale}px`;
  area.style.height = `${image.naturalHeight * scale}px`;
}

class Mark {
  constructor(area, mark, shares, change) {
    Object.assign(this, { area, mark, shares, change });
    area.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      mark.focus();
      area.setPointerCapture(event.pointerId);
      const drag = this.grab(this.at(event), event.target);
      const move = (next) => this.say(drag(this.at(next)));
      area.addEventListener("pointermove", move);
      const end = () => {
        area.removeEventListener("pointermove", move);
        for (const name of ["pointerup", "pointercancel"]) area.removeEventListener(name, end);
      };
      for (const name of ["pointerup", "pointercancel"]) area.addEventListener(name, end);
      this.say(drag(this.at(event)));
    });
  }

  at({ clientX, clientY }) {
    const { left, top, width, height } = this.area.getBoundingClientRect();
    return [within((clientX - left) / width), within((clientY - top) / height)];
  }

  say(shares) {
    this.shares = shares;
    this.draw();
    this.change(shares);
  }
}

class PointMark extends Mark {
  grab() {
    return (at) => at;
  }

  key([x, y]) {
    this.say([within(this.shares[0] + x), within(this.shares[1] + y)]);
  }

  draw() {
    const [x, y] = this.shares;
    this.mark.style.left = `${x * 100}%`;
    this.mark.style.top = `${y * 100}%`;
    this.mark.setAttribute("aria-label", t("pick.point-at", { x: percent(x), y: percent(y) }));
  }
}

class BoxMark extends Mark {
  constructor(...all) {
    super(...all);
    this.ratio = 0; // of width to height in pixels; 0: any
    this.corners = ["nw", "ne", "sw", "se"].map((name) => h("i", { class: name }));
    this.edges = ["n", "e", "s", "w"].map((name) => h("i", { class: `edge ${name}` }));
    this.mark.append(h("span", { class: "thirds" }), ...this.edges, ...this.corners);
  }

  /** Keeps width and height in a ratio from now on; 0 allows any. */
  lock(ratio) {
    this.ratio = ratio;
    if (ratio) this.say(this.fitted(this.shares, [this.shares[0], this.shares[1]]));
  }

  /** Returns the box with the locked ratio, from a corner that stays where it is. */
  fitted([left, top, width, height], [fixedX, fixedY]) {
    if (!this.ratio) return [left, top, width, height];
    const { clientWidth, clientHeight } = this.area;
    const tall = (this.ratio * clientHeight) / clientWidth; // width as a share, of a height of 1
    const [toRight, toBottom] = [fixedX <= left + width / 2, fixedY <= top + height / 2];
    const room = [toRight ? 1 - fixedX : fixedX, toBottom ? 1 - fixedY : fixedY];
    const wide = Math.min(room[0], room[1] * tall, Math.max(width, height * tall));
    const high = wide / tall;
    return [toRight ? fixedX : fixedX - wide, toBottom ? fixedY : fixedY - high, wide, high];
  }

  /** Dragging a corner or an edge resizes the box, dragging inside moves it, dragging outside starts a new one. */
  grab(from, target) {
    const [x, y, width, height] = this.shares;
    const corner = this.corners.indexOf(target);
    const edge = this.edges.indexOf(target);
    if (edge >= 0) return (at) => this.stretched(edge, at, [x, y, width, height]);
    if (corner < 0 && (target === this.mark || this.mark.contains(target))) {
      return ([atX, atY]) => [within(x + atX - from[0], 0, 1 - width), within(y + atY - from[1], 0, 1 - height), width, height];
    }
    const fixed = corner < 0 ? from : [corner % 2 ? x : x + width, corner > 1 ? y : y + height];
    return (at) => {
      const left = fixed.map((each, axis) => Math.min(each, at[axis]));
      const size = fixed.map((each, axis) => Math.max(LEAST, Math.abs(each - at[axis])));
      return this.fitted([within(left[0], 0, 1 - size[0]), within(left[1], 0, 1 - size[1]), ...size], fixed);
    };
  }

  /** Moves one edge: north, east, south or west. */
  stretched(edge, [atX, atY], [x, y, width, height]) {
    const [right, bottom] = [x + width, y + height];
    if (edge === 0) return this.fitted([x, Math.min(atY, bottom - LEAST), this.ratio ? LEAST : width, Math.max(LEAST, bottom - atY)], [x, bottom]);
    if (edge === 1) return this.fitted([x, y, Math.max(LEAST, atX - x), this.ratio ? LEAST : height], [x, y]);
    if (edge === 2) return this.fitted([x, y, this.ratio ? LEAST : width, Math.max(LEAST, atY - y)], [x, y]);
    return this.fitted([Math.min(atX, right - LEAST), y, Math.max(LEAST, right - atX), this.ratio ? LEAST : height], [right, y]);
  }

  key([x, y], resize) {
    const [left, top, width, height] = this.shares;
    if (resize) this.say(this.fitted([left, top, within(width + x, LEAST, 1 - left), within(height + y, LEAST, 1 - top)], [left, top]));
    else this.say([within(left + x, 0, 1 - width), within(top + y, 0, 1 - height), width, height]);
  }

  draw() {
    ["left", "top", "width", "height"].forEach((name, index) => (this.mark.style[name] = `${this.shares[index] * 100}%`));
    const [x, y, width, height] = this.shares.map(percent);
    this.mark.setAttribute("aria-label", t("pick.box-at", { width, height, x, y }));
  }
}
