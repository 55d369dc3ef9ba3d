/** Selects a point or a box of a feature on the image that the feature gets. */

import { empty } from "./address.js";
import { label } from "./catalogue.js";
import { PREVIEW } from "./comparison.js";
import { t } from "./messages.js";
import { Picker } from "./pick.js";

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

  /** Lets the visitor select a point or a box on the image as this feature gets it, after the features before it. */
  async pick({ feature, parameter, button }) {
    const { catalogue, wish, language, rendering, progress } = this.app;
    const { features } = catalogue;
    const earlier = features.slice(0, features.indexOf(feature)).filter(({ name, group }) => wish.edits[name] && group !== "report");
    const edits = Object.fromEntries(earlier.map(({ name }) => [name, wish.edits[name]]));
    if (!edits.resize && feature.name !== "resize") Object.assign(edits, PREVIEW);
    const { bucket, key } = wish;
    const own = feature.name === "resize" || !edits.resize ? PREVIEW : {};
    const address = language.write({ ...empty(), bucket, key, edits: { ...edits, ...own }, output: { format: "webp", quality: 85 } });
    this.run.abort(); // a change of the request does not end the selection
    const { signal } = (this.run = new AbortController());
    let url, room;
    try {
      const blob = await (await rendering.ask(address, { signal })).blob();
      url = URL.createObjectURL(blob);
      // Lengths in pixels refer to the image that the feature gets: after a resize this one, else the original.
      room = earlier.some(({ name }) => name === "resize") ? await createImageBitmap(blob) : earlier.length ? null : rendering.original;
    } catch (error) {
      if (!signal.aborted) progress.fail(error);
      return;
    }
    if (signal.aborted) return;
    const kind = parameter ? "point" : "box";
    const title = `${label(feature.name)}: ${parameter ? label(parameter.name) : t("pick.box-name")}`;
    await this.picker.open({ kind, address: url, title, back: button, size: room, shares: this.picked(feature, parameter, room), change: (shares) => this.place(feature, parameter, shares) });
    URL.revokeObjectURL(url);
  }

  picked(feature, parameter, room) {
    const values = this.app.wish.edits[feature.name] ?? {};
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

  place(feature, parameter, shares) {
    const values = (this.app.wish.edits[feature.name] ??= {});
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
    this.app.changed();
  }
}
