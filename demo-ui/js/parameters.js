/** The controls of one set of parameters: of a feature in the panel, of an element of its list, or of a step. */

import { label } from "./catalogue.js";
import { h, icon } from "./dom.js";
import { row } from "./fields.js";
import { t } from "./messages.js";
import { idle, keepInside, lack, makeRoom, tellRemoved } from "./rules.js";

const SHOWN = 6;

/** Whether two parameters belong together, such as focalX and focalY. */
const isPair = (one, other) => Boolean(one && other) && /x$/i.test(one.name) && other.name === one.name.replace(/x$/i, (axis) => (axis === "x" ? "y" : "Y"));

/** Returns the parameters with the distances of an overlay from the corner of the image: [from the left, from the top]. */
const placeOf = ({ group, parameters }) =>
  group === "overlay" ? [["left", "top"], ["x", "y"]].find((pair) => pair.every((name) => parameters.some((each) => each.name === name && each.control === "length"))) : undefined;

export class Parameters {
  /**
   * `edit` is where the values are: `values` are those that are set, or undefined if there are none yet, `put(values)`
   * replaces them, `before()` returns the edits and the steps that apply before, and `isStep` tells that the image which
   * it gets is not known.
   */
  constructor(feature, panel, edit, shown = SHOWN) {
    Object.assign(this, { feature, panel, edit });
    this.shown = shown;
    while (isPair(feature.parameters[this.shown - 1], feature.parameters[this.shown])) this.shown += 1;
    const main = feature.parameters.find((each) => each.main)?.name;
    const context = (parameter) => ({
      pick: (button) => panel.pick({ feature, parameter, button, edit }),
      sideOf: () => panel.sideOf(feature, parameter.name, edit),
      sideBefore: () => panel.sideBefore(parameter.name, edit),
      effective: () => panel.effective(feature, parameter, edit),
      reason: (value) => panel.capabilities.reason(feature.name, parameter.name, value),
      takeColor: (button, take) => panel.takeColor({ feature, button, take, edit }),
      choose: (take) => panel.choose(feature, edit, take),
      isCurve: feature.name === "curve",
      example: feature.start?.[parameter.name] ?? feature.start?.[main],
    });
    this.rows = feature.parameters.map((parameter) => row(parameter, (value) => this.change(parameter, value), context(parameter)));
    this.elements = this.build();
  }

  build() {
    const { feature, panel, edit } = this;
    const elements = this.rows.slice(0, this.shown).map(({ element }) => element);
    const later = this.rows.slice(this.shown);
    const select = (parameter, sign, text) => {
      const button = h("button", { type: "button", class: "wide", onclick: () => panel.pick({ feature, parameter, button, edit }) }, icon(sign), text);
      return button;
    };
    const place = placeOf(feature);
    if (place) elements.unshift(select(place, "target", t("overlay.place")));
    if (feature.box) elements.unshift(select(undefined, "box", t("card.draw-box")));
    if (later.length) {
      this.later = h("div", { class: "later", hidden: true }, later.map(({ element }) => element));
      this.all = h("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: () => this.showLater(this.later.hidden) }, t("card.more", { count: later.length }));
      elements.push(this.later, this.all);
    }
    return this.rows.length ? elements : [h("p", { class: "help" }, t("card.no-parameters"))];
  }

  showLater(isOpen) {
    if (!this.later) return;
    this.later.hidden = !isOpen;
    this.all.textContent = isOpen ? t("card.fewer") : t("card.more", { count: this.rows.length - this.shown });
    this.all.setAttribute("aria-expanded", String(isOpen));
  }

  change(parameter, value) {
    const { feature, panel, edit } = this;
    const values = { ...(edit.values ?? panel.needed(feature)) };
    if (value === undefined || value === parameter.default) delete values[parameter.name];
    else values[parameter.name] = value;
    const removed = makeRoom(feature, values, parameter.name);
    if (feature.box) keepInside(values, parameter.name);
    edit.put(values);
    panel.changed();
    panel.tell(tellRemoved(removed, parameter.name));
  }

  show() {
    const { feature, edit } = this;
    const { values } = edit;
    for (const each of this.rows) {
      const { name } = each.parameter;
      each.show(values?.[name]);
      each.disable(lack(feature, values ?? {}, name));
      each.remark(idle(feature, values ?? {}, name));
    }
    if (this.rows.slice(this.shown).some(({ parameter }) => values && parameter.name in values)) this.showLater(true);
  }

  /** Marks the field that an error names, or else the first, and returns it. */
  mark(name, error) {
    const found = this.rows.find(({ parameter }) => parameter.name === name) ?? this.rows[0];
    if (!found) return null;
    if (this.rows.indexOf(found) >= this.shown) this.showLater(true);
    found.mark(error.message.replaceAll("`", ""), error.isOfService);
    return found;
  }

  clear() {
    for (const each of this.rows) each.mark("");
  }
}

/** Returns parameters in short; the one named `main` goes without its name. */
export const summary = (values, main = "") => Object.entries(values).map(([name, value]) => (name === main ? value : `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`)).join(", ");
