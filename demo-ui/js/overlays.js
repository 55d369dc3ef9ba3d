/** What lies over the whole original: the region that is kept, the focal point, detected faces, and what a cut-out removes. */

import { empty } from "./address.js";
import { $, h } from "./dom.js";
import { brief } from "./service.js";

const REGIONS = ["crop"]; // features that apply to the original itself
const POINTS = [["resize", "focalPoint"], ["crop", "focalPoint"]];
const FACES = ["redact", "smartCropping", "redEye"];
const CUT = ["removeBackground", "cutout"];
const percent = (value) => Number(/^([\d.]+)[p%]$/.exec(String(value ?? ""))?.[1] ?? NaN);

export class Overlays {
  constructor(app) {
    this.app = app;
    this.faces = new Map(); // by the address of the report
    this.masks = new Map();
    this.layer = h("div", { class: "overlays", "aria-hidden": "true" });
    $("before").after(this.layer);
    $("detections").addEventListener("click", () => {
      const isOn = $("detections").getAttribute("aria-pressed") !== "true";
      $("detections").setAttribute("aria-pressed", String(isOn));
      if (isOn) app.setMode("side");
      this.show();
    });
  }

  /** Draws what belongs to the request, if the whole original is shown. */
  async show() {
    const { app, layer } = this;
    const { edits } = app.imageRequest;
    const { original, result } = app.rendering;
    const ratio = (size) => (size ? size.width / size.height : NaN);
    // In the slider the original has the frame of the result: it fills it only in the same proportions.
    const fills = app.mode === "side" || Math.abs(ratio(original) / ratio(result) - 1) < 0.02;
    const isWhole = app.comparison.isWhole && fills;
    const looks = FACES.some((name) => edits[name]) || CUT.some((name) => edits[name]);
    $("detections").hidden = !looks || Boolean(app.kept);
    layer.replaceChildren();
    if (!isWhole) return;
    layer.append(...this.regions(edits), ...this.points(edits));
    if (!looks || $("detections").getAttribute("aria-pressed") !== "true") return;
    const { signal } = app.rendering.originalRun;
    const mine = (this.drawing = {});
    try {
      const found = [...(FACES.some((name) => edits[name]) ? await this.faceBoxes(signal) : []), ...(CUT.some((name) => edits[name]) ? [await this.mask(signal)] : [])];
      if (this.drawing === mine && !signal.aborted) layer.append(...found);
    } catch (error) {
      if (!signal.aborted) app.hint(brief(error));
    }
  }

  regions(edits) {
    const { original } = this.app.rendering;
    return REGIONS.filter((name) => edits[name]).map((name) => {
      const share = (value, side) => (Number.isFinite(percent(value)) ? percent(value) : original ? (Number(value) / original[side]) * 100 : NaN);
      const { left = "0p", top = "0p", width, height } = edits[name];
      const box = { left: share(left, "width"), top: share(top, "height"), width: share(width, "width"), height: share(height, "height") };
      return Object.values(box).every(Number.isFinite) ? placed("region", box) : null;
    }).filter(Boolean);
  }

  points(edits) {
    return POINTS.map(([feature, name]) => String(edits[feature]?.[name] ?? "").split(",").map(Number))
      .filter((point) => point.length === 2 && point.every(Number.isFinite))
      .map(([x, y]) => placed("focus", { left: x * 100, top: y * 100 }));
  }

  async faceBoxes(signal) {
    const { rendering, imageRequest, language } = this.app;
    const { bucket, key } = imageRequest;
    const address = language.write({ ...empty(), bucket, key, edits: { info: { faces: true } } });
    if (!this.faces.has(address)) this.faces.set(address, await (await rendering.ask(address, { signal })).json());
    const { width, height, faces } = this.faces.get(address);
    return faces.map((face) => placed("face", { left: (face.left / width) * 100, top: (face.top / height) * 100, width: (face.width / width) * 100, height: (face.height / height) * 100 }));
  }

  async mask(signal) {
    const { rendering, imageRequest, language } = this.app;
    const { bucket, key, edits } = imageRequest;
    const model = edits.removeBackground?.model;
    const address = language.write({ ...empty(), bucket, key, edits: { removeBackground: { maskOnly: true, ...(model ? { model } : {}) } }, output: { format: "png" } });
    if (!this.masks.has(address)) this.masks.set(address, URL.createObjectURL(await (await rendering.ask(address, { signal })).blob()));
    const element = h("div", { class: "cut-away" });
    element.style.setProperty("--mask", `url("${this.masks.get(address)}")`);
    return element;
  }

  reset() {
    for (const url of this.masks.values()) URL.revokeObjectURL(url);
    this.masks.clear();
    this.faces.clear();
    this.layer.replaceChildren();
  }
}

function placed(kind, sides) {
  const element = h("div", { class: kind });
  for (const [name, value] of Object.entries(sides)) element.style[name] = `${value}%`;
  return element;
}
