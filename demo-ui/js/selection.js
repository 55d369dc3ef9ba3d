/** Selects a point or a box of a feature on the image that the feature gets. */

import { empty } from "./address.js";
import { label } from "./catalogue.js";
import { PREVIEW } from "./comparison.js";
import { t } from "./messages.js";
import { Picker } from "./pick.js";
import { putSteps } from "./steps.js";

const MIDDLE = "center";

export class Selection {
  constructor(app) {
    this.app = app;
    this.picker = new Picker();
    this.run = new AbortController();
  }

  close() {
    this.run.abort();
    this.picker.close();
  }

  /** Lets the visitor take a colour of the image as this feature gets it; `take(hex)` gets each that is pointed at. */
  async takeColor({ feature, button, take, edit }) {
    const open = async (blob, url) => {
      const bitmap = await createImageBitmap(blob);
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      const change = ([x, y]) => {
        const at = [[x, bitmap.width], [y, bitmap.height]].map(([share, side]) => Math.min(side - 1, Math.floor(share * side)));
        const { data } = context.getImageData(...at, 1, 1);
        take([...data.slice(0, 3)].map((level) => level.toString(16).padStart(2, "0")).join(""));
      };
      await this.picker.open({ kind: "point", address: url, title: label(feature.name), back: button, change });
    };
    await this.over(edit, open);
  }

  /** Lets the visitor select a point or a box on the image as this feature gets it, after the features before it. */
  async pick({ feature, parameter, button, edit }) {
    await this.over(edit, (blob, url, room) => {
      const kind = parameter ? "point" : "box";
      const what = Array.isArray(parameter) ? t("overlay.place") : parameter ? label(parameter.name) : t("pick.box-name");
      return this.picker.open({ kind, address: url, title: `${label(feature.name)}: ${what}`, back: button, size: room, isLive: Array.isArray(parameter),
        shares: this.picked(edit, parameter, room), change: (shares) => this.place(feature, edit, parameter, shares) });
    });
  }

  /** Shows the result behind the point of an overlay, which moves in it. */
  show(url) {
    this.picker.show(url);
  }

  /** Calls `open(blob, url, room)` with the image as an edit gets it. `room` is what lengths in pixels refer to. */
  async over(edit, open) {
    const { catalogue, imageRequest, language, rendering, progress } = this.app;
    const { edits, steps } = edit.before();
    const { resize } = edits;
    const isSame = !steps.length && catalogue.features.every(({ name, group }) => group === "overlay" || !edits[name]);
    const { bucket, key } = imageRequest;
    const request = { ...empty(), bucket, key, edits, output: { format: "webp", quality: 85 } };
    if (steps.length) putSteps(request, [...steps, PREVIEW]);
    else if (!resize) request.edits = { ...edits, ...PREVIEW };
    const address = language.write(request);
    this.run.abort(); // a change of the request does not end the selection
    const { signal } = (this.run = new AbortController());
    let blob, url, room;
    try {
      blob = await (await rendering.ask(address, { signal })).blob();
      url = URL.createObjectURL(blob);
      // Lengths in pixels refer to the image that the feature gets: after a resize this one, else the original.
      room = isSame ? rendering.original : resize && !steps.length ? await createImageBitmap(blob) : null;
    } catch (error) {
      if (!signal.aborted) progress.fail(error);
      return;
    }
    if (!signal.aborted) await open(blob, url, room);
    URL.revokeObjectURL(url);
  }

  /** Returns width and height of the image as an edit gets it, in pixels; null if the service has no answer. */
  async sizeBefore(edit) {
    const { imageRequest, language, rendering, progress } = this.app;
    await rendering.learnt();
    const { edits, steps } = edit.before();
    if (!steps.length && !Object.keys(edits).length) return rendering.original;
    const { bucket, key } = imageRequest;
    const request = { ...empty(), bucket, key, edits, output: { format: "webp", quality: 1, effort: 0 } };
    putSteps(request, steps);
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    try {
      return await createImageBitmap(await (await rendering.ask(language.write(request), { signal })).blob());
    } catch (error) {
      if (!signal.aborted) progress.fail(error);
      return null;
    }
  }

  picked(edit, parameter, room) {
    const values = edit.values ?? {};
    if (Array.isArray(parameter)) {
      const shares = parameter.map((name) => /^([\d.]+)[p%]$/.exec(String(values[name] ?? ""))?.[1] / 100);
      return shares.every(Number.isFinite) ? shares : null;
    }
    if (parameter) {
      const shares = String(values[parameter.name] ?? "").split(",").map(Number);
      return shares.length === 2 && shares.every(Number.isFinite) ? shares : null;
    }
    const of = { left: room?.width, width: room?.width, top: room?.height, height: room?.height };
    const share = (name) => {
      const [, amount, percent] = /^([\d.]+)([p%]?)$/.exec(String(values[name] ?? "")) ?? [];
      return amount === undefined ? null : percent ? amount / 100 : of[name] ? amount / of[name] : null;
    };
    const shares = ["left", "top", "width", "height"].map(share);
    return shares.every((each) => each !== null && each <= 1) ? shares : null;
  }

  place(feature, edit, parameter, shares) {
    const values = { ...edit.values };
    this.placeIn(values, feature, parameter, shares);
    edit.put(values);
    this.app.changed();
  }

  placeIn(values, feature, parameter, shares) {
    if (Array.isArray(parameter)) {
      const isRelative = parameter.includes("x"); // to the position, which is the corner then
      parameter.forEach((name, index) => (values[name] = `${Math.round(shares[index] * 1000) / 10}p`));
      if (isRelative) values.position = "top-left";
      else delete values.position;
      return;
    }
    if (parameter) {
      values[parameter.name] = shares.map((each) => Math.round(each * 1000) / 1000).join(",");
      delete values.focalX;
      delete values.focalY;
    } else {
      ["left", "top", "width", "height"].forEach((name, index) => (values[name] = `${Math.round(shares[index] * 1000) / 10}p`));
      delete values.aspectRatio;
      delete values.focalPoint;
    }
    // A point or a box replaces a position, which would contradict it.
    for (const each of feature.parameters) if (each.control === "position" && values[each.name] !== MIDDLE) delete values[each.name];
  }
}
