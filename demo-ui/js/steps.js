/**
 * Edits in an order of the visitor's own: `steps`, a JSON list of edits that apply behind those of the panel. The request
 * holds it among its other parameters.
 */

import { label } from "./catalogue.js";
import { $, h, icon } from "./dom.js";
import { t } from "./messages.js";

const NAME = "steps";

/** Returns the steps of a request, or null if they are no list of edits; the service then says what is wrong. */
export function stepsOf({ other }) {
  const text = other.find(([name]) => name === NAME)?.[1];
  if (text === undefined) return [];
  try {
    const steps = JSON.parse(text);
    return Array.isArray(steps) && steps.every((each) => each !== null && typeof each === "object" && !Array.isArray(each)) ? steps : null;
  } catch {
    return null;
  }
}

/** Writes steps into a request. */
export function putSteps(wish, steps) {
  wish.other = wish.other.filter(([name]) => name !== NAME);
  if (steps.length) wish.other.push([NAME, JSON.stringify(steps)]);
}

/** Returns the edits of a feature as base64 JSON has them. */
export const asJson = (name, values) => (Object.keys(values).length ? values : name === "rotate" ? 0 : true);

export class Steps {
  constructor(app) {
    this.app = app;
    this.wrong = -1; // the index of the step that the service refuses
    this.shown = "";
    $("into-steps").addEventListener("click", () => this.take());
  }

  /** Appends the edits of the panel to the steps, each as one of its own. */
  take() {
    const { wish, catalogue, controls } = this.app;
    const taken = catalogue.features.filter(({ name, group }) => wish.edits[name] && group !== "report");
    putSteps(wish, [...stepsOf(wish), ...taken.map(({ name }) => ({ [name]: asJson(name, wish.edits[name]) }))]);
    for (const { name } of taken) delete wish.edits[name];
    controls.changed();
    $("steps").querySelector("button:not([disabled])")?.focus();
  }

  show(wish) {
    const steps = stepsOf(wish);
    const isOrderable = Object.keys(wish.edits).length + (steps?.length ?? 0) > 1;
    $("into-steps").hidden = !steps || !isOrderable || !Object.keys(wish.edits).length;
    $("steps").hidden = !steps?.length && $("into-steps").hidden;
    $("steps-title").hidden = !steps?.length;
    const shown = JSON.stringify([steps, this.wrong]);
    if (shown === this.shown) return; // else the buttons would lose the focus
    this.shown = shown;
    $("steps-list").replaceChildren(...(steps ?? []).map((step, at) => this.item(steps, step, at)));
  }

  item(steps, step, at) {
    const title = Object.keys(step).map(label).join(" + ");
    const move = (name, text, to) => h("button", { type: "button", class: `icon ${name}`, "aria-label": text, title: text, disabled: to < 0 || to >= steps.length, onclick: () => this.move(steps, at, to, name) }, icon("back"));
    return h("li", { class: at === this.wrong ? "bad" : null },
      h("span", { class: "what", title: described(step) }, h("strong", {}, title), h("code", {}, described(step))),
      move("up", t("steps.up", { name: title }), at - 1), move("down", t("steps.down", { name: title }), at + 1),
      h("button", { type: "button", class: "icon", "aria-label": t("panel.remove", { name: title }), title: t("remove"), onclick: () => this.put(steps.toSpliced(at, 1)) }, icon("close")));
  }

  move(steps, from, to, name) {
    this.put(steps.toSpliced(from, 1).toSpliced(to, 0, steps[from]));
    const moved = $("steps-list").children[to];
    (moved.querySelector(`.${name}:not([disabled])`) ?? moved.querySelector("button:not([disabled])")).focus();
  }

  put(steps) {
    this.wrong = -1;
    putSteps(this.app.wish, steps);
    this.app.controls.changed();
  }

  /** Marks the step that a message names. */
  mark(message) {
    this.wrong = Number(/`steps\[(\d+)\]/.exec(message)?.[1] ?? -1);
    this.show(this.app.wish);
  }
}

/** Returns the parameters of a step in short. */
function described(step) {
  return Object.values(step).map((values) => (values !== null && typeof values === "object" ? Object.entries(values).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ") : values === true ? "" : String(values))).filter(Boolean).join("; ");
}
