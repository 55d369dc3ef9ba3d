/** The panel of edits: a card for each feature of the catalogue and one for the output options, built from their descriptions. */

import { $, h, icon, label } from "./dom.js";
import { row } from "./fields.js";

const GROUPS = { output: "Format and size", geometry: "Shape", colour: "Colour", effect: "Effects", overlay: "Overlays", report: "Reports" };
const OUTPUT = "";
const FIRST = ["resize"]; // shown beside the output options, because nearly everybody needs it
const HEADING = 40; // height of a group's heading, which stays visible above its cards
const SHOWN = 6;
const LEADING = ["format", "quality", "maxBytes"]; // of the output options; the rest is hidden at first, so that features are visible
const MARKS = { heavy: ["model", "Runs a model, which takes seconds"], billed: ["billed", "Calls a service that bills each image"] };

/** A card with switch, name and help, and with the parameters once it is open. */
class Card {
  constructor(feature, panel) {
    this.feature = feature;
    this.panel = panel;
    this.rows = null;
    this.shown = feature.name === OUTPUT ? LEADING.length : SHOWN;
    const { name, help } = feature;
    this.title = feature.title ?? label(name);
    const bodyId = `card-${name || "output"}`;
    this.body = h("div", { class: "card-body", id: bodyId, hidden: true });
    this.opener = h("button", { type: "button", class: "opener", "aria-expanded": "false", "aria-controls": bodyId, onclick: () => this.open(this.body.hidden) },
      icon("chevron"), h("span", { class: "name" }, this.title), this.marks());
    this.toggle = name !== OUTPUT && h("input", { type: "checkbox", role: "switch", class: "switch", "aria-label": this.title, onchange: () => this.turn(this.toggle.checked) });
    this.element = h("section", { class: "card", "data-feature": name || "output" },
      h("div", { class: "card-head" }, h("h4", {}, this.opener), this.toggle), h("p", { class: "help" }, help), this.body);
    const { parameters, aliases = [] } = feature;
    // In order of weight: help texts of parameters, help and names of parameters, names of the feature.
    this.words = [
      parameters.flatMap((each) => [each.help, ...(each.choices ?? [])]),
      [help, GROUPS[feature.group], ...parameters.flatMap((each) => [each.name, label(each.name)])],
      [this.title, name, ...aliases],
    ].map((words) => plain(words.join(" ")));
  }

  marks() {
    return Object.entries(MARKS).filter(([name]) => this.feature[name]).map(([, [text, title]]) => h("small", { class: "mark", title }, text));
  }

  /** Returns how well the card matches the search; 0 is no match. */
  score(words) {
    const each = words.map((word) => this.words.findLastIndex((heap) => heap.includes(word)) + 1);
    const least = Math.min(...each, this.words.length);
    return least && words.length && plain(this.title).startsWith(words.join(" ")) ? this.words.length + 1 : least;
  }

  get values() {
    return this.feature.name === OUTPUT ? this.panel.wish.output : this.panel.wish.edits[this.feature.name];
  }

  open(wanted) {
    if (wanted) this.fill();
    this.body.hidden = !wanted;
    this.opener.setAttribute("aria-expanded", String(wanted));
    if (wanted) this.show();
  }

  fill() {
    if (this.rows) return;
    const context = (parameter) => ({ pick: (button) => this.panel.pick({ feature: this.feature, parameter, button }) });
    this.rows = this.feature.parameters.map((parameter) => row(parameter, (value) => this.change(parameter, value), context(parameter)));
    const [first, later] = [this.rows.slice(0, this.shown), this.rows.slice(this.shown)];
    if (this.feature.box) {
      const draw = h("button", { type: "button", class: "wide", onclick: () => this.panel.pick({ feature: this.feature, button: draw }) }, icon("box"), "Draw the box on the image");
      this.body.append(draw);
    }
    this.body.append(...first.map(({ element }) => element));
    if (later.length) {
      this.later = h("div", { class: "later", hidden: true }, later.map(({ element }) => element));
      this.all = h("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: () => this.showLater(this.later.hidden) }, `${later.length} more`);
      this.body.append(this.all, this.later);
    }
    if (!this.rows.length) this.body.append(h("p", { class: "help" }, "This edit has no parameters. Switch it on."));
  }

  showLater(wanted) {
    if (!this.later) return;
    this.later.hidden = !wanted;
    this.all.textContent = wanted ? "Fewer" : `${this.rows.length - this.shown} more`;
    this.all.setAttribute("aria-expanded", String(wanted));
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
    this.panel.changed();
  }

  show() {
    const on = this.feature.name === OUTPUT ? Object.keys(this.values).length > 0 : Boolean(this.values);
    this.element.classList.toggle("on", on);
    if (this.toggle) this.toggle.checked = on;
    if (!this.rows || this.body.hidden) return;
    for (const each of this.rows) each.show(this.values?.[each.parameter.name]);
    if (this.rows.slice(this.shown).some(({ parameter }) => this.values && parameter.name in this.values)) this.showLater(true);
  }

  /** Scrolls the card into view and opens it. */
  reveal() {
    this.open(true);
    this.element.scrollIntoView({ block: "start" });
    this.opener.focus({ preventScroll: true });
  }

  mark(name, message) {
    this.open(true);
    const found = this.rows.find(({ parameter }) => parameter.name === name) ?? this.rows[0];
    if (!found) return null;
    if (this.rows.indexOf(found) >= this.shown) this.showLater(true);
    found.mark(message);
    return found;
  }

  clear() {
    for (const each of this.rows ?? []) each.mark("");
  }
}

/** Reduces British and American spelling to one. */
const plain = (text) => text.toLowerCase().replaceAll("colour", "color").replaceAll("grey", "gray").replaceAll("centre", "center");
const rank = ({ name }) => (LEADING.includes(name) ? LEADING.indexOf(name) : LEADING.length);

export class Controls {
  /** Calls `changed()` after each change and `pick({feature, parameter, button})` to select on the image. */
  constructor({ features, output }, { changed, pick, overlay }) {
    this.changed = changed;
    this.pick = pick;
    this.overlay = overlay;
    this.wish = null;
    const about = { name: OUTPUT, title: "Output", help: "Format, quality and maximum size of the file.", group: "output", parameters: [...output].sort((one, other) => rank(one) - rank(other)) };
    this.cards = [about, ...features].map((feature) => new Card(feature, this));
    this.groups = this.grouped();
    $("controls").replaceChildren(...this.groups.map(({ element }) => element));
    this.cards[0].fill();
    $("panel-search").addEventListener("input", (event) => this.search(event.target.value));
  }

  grouped() {
    const known = Object.keys(GROUPS);
    const groupOf = ({ feature }) => (FIRST.includes(feature.name) ? "output" : feature.group);
    const names = [...new Set([...known, ...this.cards.map(groupOf)])];
    return names.map((name) => {
      const cards = this.cards.filter((card) => groupOf(card) === name);
      const title = h("h3", { id: `group-${name}` }, GROUPS[name] ?? label(name));
      return { cards, element: h("section", { class: "group", "aria-labelledby": `group-${name}`, hidden: !cards.length }, title, cards.map(({ element }) => element)) };
    });
  }

  /** Shows a request. With `open` the cards of active features are open. */
  show(wish, { open = false } = {}) {
    this.wish = wish;
    for (const card of this.cards) {
      if (open) card.open(Boolean(card.feature.name === OUTPUT || card.values));
      card.show();
    }
    const used = this.used();
    $("reset").disabled = !used.length && !wish.other.length;
    $("active").hidden = !used.length;
    $("active").replaceChildren(...used.map((card) => this.chip(card)));
  }

  /** Returns the cards in use, in the order in which their features apply. */
  used() {
    const [output, ...features] = this.cards;
    return [...features.filter((card) => card.values), ...(Object.keys(output.values).length ? [output] : [])];
  }

  chip(card) {
    const off = () => {
      this.takeOff(card);
      ($("active").querySelector("button") ?? $("panel-search")).focus();
    };
    return h("li", {},
      h("button", { type: "button", "aria-label": `Go to ${card.title}`, onclick: () => card.reveal() }, card.title),
      h("button", { type: "button", "aria-label": `Remove ${card.title}`, title: "Remove", onclick: off }, icon("close")));
  }

  takeOff({ feature }) {
    if (feature.name === OUTPUT) this.wish.output = {};
    else delete this.wish.edits[feature.name];
    this.changed();
  }

  /** Scrolls the panel to the first edit, so that the values of an example are visible. */
  reveal() {
    const [first] = this.used().filter(({ feature }) => ![OUTPUT, ...FIRST].includes(feature.name));
    $("controls").scrollTop = first ? first.element.offsetTop - HEADING : 0;
  }

  /** Returns the first values of a feature; a placeholder for an overlay becomes an existing key. */
  start(feature) {
    const values = Object.entries(feature.start ?? {}).map(([name, value]) => [name, value === "{logo}" ? this.overlay() : value]);
    return Object.fromEntries(values.filter(([, value]) => value !== ""));
  }

  /** Returns first values for the required parameters of a feature. */
  needed(feature) {
    const start = this.start(feature);
    const names = feature.parameters.filter(({ required, name }) => required && name in start).map(({ name }) => name);
    return Object.fromEntries(names.map((name) => [name, start[name]]));
  }

  search(text) {
    const words = plain(text).split(/\s+/).filter(Boolean);
    const scores = new Map(this.cards.map((card) => [card, card.score(words)]));
    const best = (one, other) => scores.get(other) - scores.get(one);
    const groups = this.groups.map(({ element, cards }) => ({ element, cards: cards.toSorted(best) })).filter(({ cards }) => cards.length);
    for (const { element, cards } of groups) {
      for (const card of cards) card.element.hidden = !scores.get(card);
      element.append(...cards.map((card) => card.element));
      element.hidden = !scores.get(cards[0]);
    }
    $("controls").append(...groups.toSorted((one, other) => best(one.cards[0], other.cards[0])).map(({ element }) => element));
    $("controls").scrollTop = 0;
    const hits = this.cards.filter((card) => scores.get(card));
    if (words.length && hits.length === 1) hits[0].open(true);
    $("panel-note").textContent = !words.length ? "" : hits.length ? `${hits.length} found, best match first` : `No edit matches “${text}”`;
  }

  card(name) {
    return this.cards.find(({ feature }) => feature.name === name);
  }

  /** Marks the fields that an error names and returns the first. */
  mark(places, message) {
    this.clear();
    const marked = places.map(([feature, parameter]) => this.card(feature)?.mark(parameter, message)).filter(Boolean);
    return marked[0] ?? null;
  }

  clear() {
    for (const card of this.cards) card.clear();
  }
}
