/** The panel of edits: a card for each feature of the catalogue and one for the output, made from their description. */

import { $, h, icon, label } from "./dom.js";
import { row } from "./fields.js";

const GROUPS = { output: "Format and size", geometry: "Shape", colour: "Colour", effect: "Effects", overlay: "Overlays", report: "Reports" };
const OUTPUT = "";
const FIRST = ["resize"]; // beside the output: what nearly everybody comes for
const HEADING = 40; // of a group, which stays in sight above its cards
const SHOWN = 6;
const LEADING = ["format", "quality", "maxBytes"]; // of the output, the rest on demand: the features are to be in sight
const MARKS = { heavy: ["model", "Runs a model: takes seconds"], billed: ["billed", "Asks a service that bills each call"] };

/** A card: switch, name, help, and, once it is opened, the parameters. */
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
    // By weight: what it is called, what can be set, what is told of it.
    this.words = [
      parameters.flatMap((each) => [each.help, ...(each.choices ?? [])]),
      [help, GROUPS[feature.group], ...parameters.flatMap((each) => [each.name, label(each.name)])],
      [this.title, name, ...aliases],
    ].map((words) => plain(words.join(" ")));
  }

  marks() {
    return Object.entries(MARKS).filter(([name]) => this.feature[name]).map(([, [text, title]]) => h("small", { class: "mark", title }, text));
  }

  /** How well it fits what is searched; 0: not at all. */
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
      const draw = h("button", { type: "button", class: "wide", onclick: () => this.panel.pick({ feature: this.feature, button: draw }) }, icon("box"), "Draw the box on the picture");
      this.body.append(draw);
    }
    this.body.append(...first.map(({ element }) => element));
    if (later.length) {
      this.later = h("div", { class: "later", hidden: true }, later.map(({ element }) => element));
      this.all = h("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: () => this.showLater(this.later.hidden) }, `${later.length} more`);
      this.body.append(this.all, this.later);
    }
    if (!this.rows.length) this.body.append(h("p", { class: "help" }, "Nothing to set: switch it on."));
  }

  showLater(wanted) {
    if (!this.later) return;
    this.later.hidden = !wanted;
    this.all.textContent = wanted ? "Fewer" : `${this.rows.length - this.shown} more`;
    this.all.setAttribute("aria-expanded", String(wanted));
  }

  /** On: with what its example sets, so that there is something to see. */
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

  /** Into sight, with its parameters. */
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

/** One spelling of what is spelt in two ways. */
const plain = (text) => text.toLowerCase().replaceAll("colour", "color").replaceAll("grey", "gray").replaceAll("centre", "center");
const rank = ({ name }) => (LEADING.includes(name) ? LEADING.indexOf(name) : LEADING.length);

export class Controls {
  /** `changed()` after each change of the wish; `pick({feature, parameter, button})` where the picture is to be clicked. */
  constructor({ features, output }, { changed, pick, overlay }) {
    this.changed = changed;
    this.pick = pick;
    this.overlay = overlay;
    this.wish = null;
    const about = { name: OUTPUT, title: "Output", help: "Format, quality, and how large the file may be.", group: "output", parameters: [...output].sort((one, other) => rank(one) - rank(other)) };
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

  /** Shows what a wish says; the cards that are on, are open. */
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

  /** The cards of what is in use, in the order in which it applies. */
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
      h("button", { type: "button", "aria-label": `Take off ${card.title}`, title: "Take off", onclick: off }, icon("close")));
  }

  takeOff({ feature }) {
    if (feature.name === OUTPUT) this.wish.output = {};
    else delete this.wish.edits[feature.name];
    this.changed();
  }

  /** Where the panel scrolls by itself: to the first edit, so that what an example sets is in sight. */
  reveal() {
    const [first] = this.used().filter(({ feature }) => ![OUTPUT, ...FIRST].includes(feature.name));
    $("controls").scrollTop = first ? first.element.offsetTop - HEADING : 0;
  }

  /** What a feature is switched on with; keys that stand for another picture become one that is there. */
  start(feature) {
    const values = Object.entries(feature.start ?? {}).map(([name, value]) => [name, value === "{logo}" ? this.overlay() : value]);
    return Object.fromEntries(values.filter(([, value]) => value !== ""));
  }

  /** What a feature cannot do without. */
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
    $("panel-note").textContent = !words.length ? "" : hits.length ? `${hits.length} found, the best first` : `Nothing is called ${text}`;
  }

  card(name) {
    return this.cards.find(({ feature }) => feature.name === name);
  }

  /** Marks the fields that a refusal names; gives the first. */
  mark(places, message) {
    this.clear();
    const marked = places.map(([feature, parameter]) => this.card(feature)?.mark(parameter, message)).filter(Boolean);
    return marked[0] ?? null;
  }

  clear() {
    for (const card of this.cards) card.clear();
  }
}
