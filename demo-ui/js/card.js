/** A card of the panel: one feature with its switch and its parameters, or the output options. */

import { englishLabel, inItsLanguage, label, repeats } from "./catalogue.js";
import { h, icon, prose } from "./dom.js";
import { t } from "./messages.js";
import { Parameters } from "./parameters.js";
import { Repeated } from "./repeated.js";
import { plain } from "./search.js";

export const OUTPUT = "";
export const GROUPS = Object.fromEntries(["output", "geometry", "colour", "effect", "overlay", "report"].map((name) => [name, t(`group.${name}`)]));
export const LEADING = ["format", "quality", "maxBytes"]; // of the output options; the rest is hidden at first, so that features are visible
const MARKS = ["expensive", "billed"];

/** A card with switch, name and help, and with the parameters once it is open. */
export class Card {
  constructor(feature, panel) {
    this.feature = feature;
    this.panel = panel;
    this.form = null;
    const { name, help } = feature;
    this.title = feature.title ?? label(name);
    const bodyId = `card-${name || "output"}`;
    this.body = h("div", { class: "card-body", id: bodyId, hidden: true });
    this.opener = h("button", { type: "button", class: "opener", "aria-expanded": "false", "aria-controls": bodyId, onclick: () => this.open(this.body.hidden) },
      icon("chevron"), h("span", { class: "name" }, this.title), this.marks());
    this.toggle = name !== OUTPUT && h("input", { type: "checkbox", role: "switch", class: "switch", "aria-label": this.title, onchange: () => this.turn(this.toggle.checked) });
    this.element = h("section", { class: "card", "data-feature": name || "output" },
      h("div", { class: "card-head" }, h("h4", {}, this.opener), this.toggle), h("p", { class: "help", ...inItsLanguage(help) }, prose(help)), (this.why = h("p", { class: "why", hidden: true })), this.body);
    const { parameters, aliases = [] } = feature;
    // In order of weight: help texts of parameters, help and names of parameters, names of the feature.
    this.words = [
      parameters.flatMap((each) => [each.help, ...(each.choices ?? [])]),
      [help, GROUPS[feature.group], ...parameters.flatMap((each) => [each.name, englishLabel(each.name), label(each.name)])],
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

  get values() {
    return this.feature.name === OUTPUT ? this.panel.imageRequest.output : this.panel.imageRequest.edits[this.feature.name];
  }

  open(isOpen) {
    if (isOpen) this.fill();
    this.body.hidden = !isOpen;
    this.opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.show();
  }

  fill() {
    if (this.form) return;
    const { feature, panel } = this;
    const card = this;
    const edit = {
      get values() {
        return card.values;
      },
      put(values) {
        if (feature.name === OUTPUT) panel.imageRequest.output = values;
        else panel.imageRequest.edits[feature.name] = values;
      },
      before: (elements) => panel.before(feature, elements),
    };
    if (repeats(feature)) this.form = new Repeated(feature, panel, edit);
    else this.form = new Parameters(feature, panel, edit, feature.name === OUTPUT ? LEADING.length : undefined);
    this.body.append(...this.form.elements);
  }

  /** Switches the feature on with the values of its example, so that it has a visible effect, or off. */
  turn(on) {
    const { edits } = this.panel.imageRequest;
    const { name } = this.feature;
    if (on) edits[name] = this.panel.start(this.feature);
    else delete edits[name];
    if (on) this.open(true);
    this.panel.changed();
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
    if (this.form && !this.body.hidden) this.form.show();
  }

  /** Scrolls the card into view and opens it. */
  reveal() {
    this.open(true);
    this.element.scrollIntoView({ block: "start" });
    this.opener.focus({ preventScroll: true });
  }

  /** Marks the field that an error names, of the element `at` if there are several, and returns it. */
  mark(name, error, at) {
    this.open(true);
    return this.form.mark(name, error, at);
  }

  clear() {
    this.form?.clear();
  }
}
