/** The panel of edits: a card for each feature of the catalogue and one for the output options, built from their descriptions. */

import { Card, GROUPS, LEADING, OUTPUT } from "./card.js";
import { changesPixels, label } from "./catalogue.js";
import { $, h, icon } from "./dom.js";
import { t } from "./messages.js";
import { words } from "./search.js";

const FIRST = ["resize"]; // shown beside the output options, because nearly everybody needs it
const HEADING = 40; // height of a group's heading, which stays visible above its cards

const axisOf = (name) => (/height|top|bottom|y$/i.test(name) ? "height" : "width");

const rank = ({ name }) => (LEADING.includes(name) ? LEADING.indexOf(name) : LEADING.length);

export class Controls {
  /**
   * Calls `changed()` after each change, `pick({feature, parameter, button, edit})` to select on the image, `takeColor` to
   * take a colour from it, and `choose(feature, edit, take)` to choose another image. `measures()`
   * returns {original, result}, as far as they are known, `sizeBefore(edit)` the size of the image as an edit gets it, `tell(text)` says what a change has done beside itself, and
   * `shown(imageRequest)` is called whenever a request is shown.
   */
  constructor({ features, output, outputRules }, { changed, pick, takeColor, choose, overlay, measures, sizeBefore, capabilities, tell, shown }) {
    Object.assign(this, { changed, pick, takeColor, choose, overlay, measures, sizeBefore, capabilities, tell, shown, features });
    this.imageRequest = null;
    const about = { name: OUTPUT, title: t("panel.output"), help: t("panel.output-help"), group: "output", ...outputRules, parameters: [...output].sort((one, other) => rank(one) - rank(other)) };
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
  show(imageRequest, { open = false } = {}) {
    this.imageRequest = imageRequest;
    for (const card of this.cards) {
      if (open) card.open(Boolean(card.feature.name === OUTPUT || card.values));
      card.show();
    }
    const used = this.used();
    $("reset").disabled = $("save-recipe").disabled = !used.length && !imageRequest.other.length;
    $("active").hidden = !used.length;
    $("active").replaceChildren(...used.map((card) => this.chip(card)));
    this.shown(imageRequest);
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
      h("button", { type: "button", "aria-label": t("panel.go-to", { name: card.title }), onclick: () => card.reveal() }, card.title),
      h("button", { type: "button", "aria-label": t("panel.remove", { name: card.title }), title: t("remove"), onclick: off }, icon("close")));
  }

  takeOff({ feature }) {
    if (feature.name === OUTPUT) this.imageRequest.output = {};
    else delete this.imageRequest.edits[feature.name];
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
    const found = words(text);
    const scores = new Map(this.cards.map((card) => [card, card.score(found)]));
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
    if (found.length && hits.length === 1) hits[0].open(true);
    $("panel-note").textContent = !found.length ? "" : hits.length ? t("panel.found", { count: hits.length }) : t("panel.not-found", { text });
  }

  /** Returns the length in pixels that a length is a share of, of the image as the edit gets it; undefined without it. */
  async sideBefore(name, edit) {
    return (await this.sizeBefore(edit))?.[axisOf(name)];
  }

  /** Returns about the same without a request, for the end of a slider; undefined for a step. */
  sideOf(feature, name, { isStep }) {
    if (isStep) return undefined;
    const { original, result } = this.measures();
    const isAfterResize = this.features.indexOf(feature) > this.features.findIndex((each) => each.name === "resize");
    return (isAfterResize && this.imageRequest.edits.resize ? result : original)?.[axisOf(name)];
  }

  /** Returns the value that a number has while it is not set, or undefined. */
  effective(feature, { name, help, unit, control, default: standard }, { isStep, values }) {
    const { original, result } = isStep ? {} : this.measures();
    if (standard !== null && standard !== undefined) return standard;
    if (feature.name === OUTPUT && unit === "bytes") return original?.bytes;
    if (feature.name === "resize" && (name === "width" || name === "height")) return result?.[name] ?? original?.[name];
    if (control === "length") return this.effectiveLength(name, help, values);
    const isAvif = feature.name === OUTPUT && /avif/.test(result?.type ?? this.imageRequest.output.format);
    const told = (isAvif && /for AVIF (\d+)/.exec(help)) || /Default: (-?\d+(?:\.\d+)?)(?!\S| ?%)/.exec(help.replaceAll(",", " "));
    return told ? Number(told[1]) : undefined;
  }

  /** Returns the length that is used while it is not set, in percent, where its help says so. */
  effectiveLength(name, help, values) {
    const [, share] = /Default: (\d+) ?%(?! if)/.exec(help) ?? [];
    if (share) return `${share}p`;
    if (/Default: half the (width|height)/.test(help)) return "50p";
    if (!/Default: up to the (right|bottom) edge/.test(help)) return undefined;
    const start = String(values?.[name === "width" ? "left" : "top"] ?? "0p");
    return /^[\d.]+[p%]$/.test(start) ? `${100 - parseFloat(start)}p` : undefined;
  }

  /** Returns what applies before a feature, and before an element behind others of its list: the edits and the steps. */
  before(feature, elements = []) {
    const { imageRequest, features } = this;
    const earlier = features.slice(0, features.indexOf(feature)).filter((each) => imageRequest.edits[each.name] && changesPixels(each));
    const edits = Object.fromEntries(earlier.map(({ name }) => [name, imageRequest.edits[name]]));
    return { edits: elements.length ? { ...edits, [feature.name]: elements } : edits, steps: [] };
  }

  card(name) {
    return this.cards.find(({ feature }) => feature.name === name);
  }

  /** Marks the fields that an error names and returns the first. */
  mark(places, error) {
    this.clear();
    const marked = places.map(([feature, parameter, at]) => this.card(feature)?.mark(parameter, error, at)).filter(Boolean);
    return marked[0] ?? null;
  }

  clear() {
    for (const card of this.cards) card.clear();
  }
}
