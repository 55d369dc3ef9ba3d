/** A card of the panel: one feature with its switch and its parameters, or the output options. */

import { englishLabel, inItsLanguage, label, word } from "./catalogue.js";
import { h, icon, prose } from "./dom.js";
import { row } from "./fields.js";
import { t } from "./messages.js";
import { idle, keepInside, lack, makeRoom, tellRemoved } from "./rules.js";
import { plain } from "./search.js";

export const OUTPUT = "";
export const GROUPS = Object.fromEntries(["output", "geometry", "colour", "effect", "overlay", "report"].map((name) => [name, t(`group.${name}`)]));
export const LEADING = ["format", "quality", "maxBytes"]; // of the output options; the rest is hidden at first, so that features are visible
const SHOWN = 6;
const MARKS = ["expensive", "billed"];

/** Whether two parameters belong together, such as focalX and focalY. */
const isPair = (one, other) => Boolean(one && other) && /x$/i.test(one.name) && other.name === one.name.replace(/x$/i, (axis) => (axis === "x" ? "y" : "Y"));

/** Returns the parameters with the distances of an overlay from the corner of the image: [from the left, from the top]. */
const placeOf = ({ group, parameters }) =>
  group === "overlay" ? [["left", "top"], ["x", "y"]].find((pair) => pair.every((name) => parameters.some((each) => each.name === name && each.control === "length"))) : undefined;

/** A card with switch, name and help, and with the parameters once it is open. */
export class Card {
  constructor(feature, panel) {
    this.feature = feature;
    this.panel = panel;
    this.rows = null;
    const { name, help } = feature;
    this.shown = name === OUTPUT ? LEADING.length : SHOWN;
    while (isPair(feature.parameters[this.shown - 1], feature.parameters[this.shown])) this.shown += 1;
    this.title = feature.title ?? label(name);
    const bodyId = `card-${name || "output"}`;
    this.body = h("div", { class: "card-body", id: bodyId, hidden: true });
    this.opener = h("button", { type: "button", class: "opener", "aria-expanded": "false", "aria-controls": bodyId, onclick: () => this.open(this.body.hidden) },
      icon("chevron"), h("span", { class: "name" }, this.title), this.marks());
    this.toggle = name !== OUTPUT && h("input", { type: "checkbox", role: "switch", class: "switch", "aria-label": this.title, onchange: () => this.turn(this.toggle.checked) });
    this.element = h("section", { class: "card", "data-feature": name || "output" },
      h("div", { class: "card-head" }, h("h4", {}, this.opener), this.toggle), h("p", { class: "help", ...inItsLanguage(help) }, prose(word(help))), (this.why = h("p", { class: "why", hidden: true })), this.body);
    const { parameters, aliases = [] } = feature;
    // In order of weight: help texts of parameters, help and names of parameters, names of the feature.
    this.words = [
      parameters.flatMap((each) => [each.help, word(each.help), ...(each.choices ?? [])]),
      [help, word(help), GROUPS[feature.group], ...parameters.flatMap((each) => [each.name, englishLabel(each.name), label(each.name)])],
      [this.title, englishLabel(name), name, ...aliases],
    ].map((words) => plain(words.join(" ")));
  }

  marks() {
    return MARKS.filter((name) => this.feature[name]).map((name) => h("small", { class: "mark", title: t(`mark.${name}-long`) }, t(`mark.${name}`)));
  }

  /** Returns how well the card matches the search; 0 is no match. */
  score(words) {
    const each = words.map((names) => Math.max(...names.map((word) => this.words.findLastIndex((heap) => heap.includes(word)) + 1)));
    const lowest = Math.min(...each, this.words.length);
    const begins = plain(this.title).startsWith(words.map(([word]) => word).join(" ")) || words.some((names) => names.some((word) => word === plain(this.feature.name)));
    return lowest && words.length && begins ? this.words.length + 1 : lowest;
  }

  get rules() {
    return this.feature;
  }

  get values() {
    return this.feature.name === OUTPUT ? this.panel.wish.output : this.panel.wish.edits[this.feature.name];
  }

  open(isOpen) {
    if (isOpen) this.fill();
    this.body.hidden = !isOpen;
    this.opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.show();
  }

  fill() {
    if (this.rows) return;
    const { feature, panel } = this;
    const main = feature.parameters.find((each) => each.main)?.name;
    const context = (parameter) => ({
      pick: (button) => panel.pick({ feature, parameter, button }),
      sideOf: () => panel.sideOf(feature, parameter.name),
      effective: () => panel.effective(feature, parameter),
      reason: (value) => panel.capabilities.reason(feature.name, parameter.name, value),
      takeColor: (button, take) => panel.takeColor({ feature, button, take }),
      choose: (take) => panel.choose(feature, take),
      isCurve: feature.name === "curve",
      example: feature.start?.[parameter.name] ?? feature.start?.[main],
    });
    this.rows = this.feature.parameters.map((parameter) => row(parameter, (value) => this.change(parameter, value), context(parameter)));
    const [first, later] = [this.rows.slice(0, this.shown), this.rows.slice(this.shown)];
    if (this.feature.box) {
      const draw = h("button", { type: "button", class: "wide", onclick: () => this.panel.pick({ feature: this.feature, button: draw }) }, icon("box"), t("card.draw-box"));
      this.body.append(draw);
    }
    const place = placeOf(feature);
    if (place) {
      const move = h("button", { type: "button", class: "wide", onclick: () => panel.pick({ feature, parameter: place, button: move }) }, icon("target"), t("overlay.place"));
      this.body.append(move);
    }
    this.body.append(...first.map(({ element }) => element));
    if (later.length) {
      this.later = h("div", { class: "later", hidden: true }, later.map(({ element }) => element));
      this.all = h("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: () => this.showLater(this.later.hidden) }, t("card.more", { count: later.length }));
      this.body.append(this.later, this.all);
    }
    if (!this.rows.length) this.body.append(h("p", { class: "help" }, t("card.no-parameters")));
  }

  showLater(isOpen) {
    if (!this.later) return;
    this.later.hidden = !isOpen;
    this.all.textContent = isOpen ? t("card.fewer") : t("card.more", { count: this.rows.length - this.shown });
    this.all.setAttribute("aria-expanded", String(isOpen));
  }

  /** Switches the feature on with the values of its example, so that it has a visible effect, or off. */
  turn(on) {
    const { edits } = this.panel.wish;
    const { name } = this.feature;
    if (on) edits[name] = this.panel.start(this.feature);
    else delete edits[name];
    if (on) this.open(true);
    this.panel.changed();
  }

  change(parameter, value) {
    const { wish } = this.panel;
    const values = this.values ?? (wish.edits[this.feature.name] = this.panel.needed(this.feature));
    if (value === undefined || value === parameter.default) delete values[parameter.name];
    else values[parameter.name] = value;
    const removed = makeRoom(this.rules, values, parameter.name);
    if (this.feature.box) keepInside(values, parameter.name);
    this.panel.changed();
    this.panel.tell(tellRemoved(removed, parameter.name));
  }

  show() {
    const on = this.feature.name === OUTPUT ? Object.keys(this.values).length > 0 : Boolean(this.values);
    this.element.classList.toggle("on", on);
    const reason = this.feature.name === OUTPUT ? "" : this.panel.capabilities.reasonOf(this.feature);
    if (this.toggle) {
      this.toggle.checked = on;
      this.toggle.disabled = Boolean(reason) && !on;
    }
    this.element.classList.toggle("off", Boolean(reason));
    this.why.hidden = !reason;
    this.why.textContent = reason;
    if (!this.rows || this.body.hidden) return;
    for (const each of this.rows) {
      each.show(this.values?.[each.parameter.name]);
      each.disable(lack(this.rules, this.values ?? {}, each.parameter.name));
      each.remark(idle(this.feature, this.values ?? {}, each.parameter.name));
    }
    if (this.rows.slice(this.shown).some(({ parameter }) => this.values && parameter.name in this.values)) this.showLater(true);
  }

  /** Scrolls the card into view and opens it. */
  reveal() {
    this.open(true);
    this.element.scrollIntoView({ block: "start" });
    this.opener.focus({ preventScroll: true });
  }

  mark(name, error) {
    this.open(true);
    const found = this.rows.find(({ parameter }) => parameter.name === name) ?? this.rows[0];
    if (!found) return null;
    if (this.rows.indexOf(found) >= this.shown) this.showLater(true);
    found.mark(error.message.replaceAll("`", ""), error.isOfService);
    return found;
  }

  clear() {
    for (const each of this.rows ?? []) each.mark("");
  }
}

