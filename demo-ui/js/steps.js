/**
 * Edits in an order of the visitor's own: `steps`, a JSON list of edits that apply behind those of the panel. The request
 * holds it among its other parameters.
 */

import { changesPixels, label, repeats } from "./catalogue.js";
import { $ } from "./dom.js";
import { EditList } from "./edit-list.js";
import { Parameters, summary } from "./parameters.js";
import { Repeated } from "./repeated.js";

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
export function putSteps(imageRequest, steps) {
  imageRequest.other = imageRequest.other.filter(([name]) => name !== NAME);
  if (steps.length) imageRequest.other.push([NAME, JSON.stringify(steps)]);
}

/** Returns the edits of a feature as base64 JSON has them. */
export const asJson = (name, values) => (Object.keys(values).length ? values : name === "rotate" ? 0 : true);

/** Returns the parameters of a step by their names, however they are written there. */
function readValues({ parameters }, written) {
  if (Array.isArray(written) && written.every((each) => each !== null && typeof each === "object" && !Array.isArray(each))) return written;
  const main = parameters.find((each) => each.main)?.name;
  const isOn = written === true || written === false || written === null;
  const given = isOn ? {} : typeof written === "object" && !Array.isArray(written) ? written : main ? { [main]: written } : {};
  const named = (name) => parameters.find((each) => each.aliases?.includes(name))?.name ?? name;
  const asText = (value) => (Array.isArray(value) ? value.flat(Infinity).join(",") : value);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [named(name), asText(value)]));
}

export class Steps {
  constructor(app) {
    this.app = app;
    this.wrong = -1; // the index of the step that the service refuses
    $("into-steps").addEventListener("click", () => this.take());
    this.list = new EditList($("steps-list"), {
      titleOf: (step) => Object.keys(step).map(label).join(" + "), describe: described,
      canOpen: (at) => this.featuresOf(at).length > 0,
      formsOf: (at) => this.featuresOf(at).map(([name, feature]) => this.form(at, name, feature)),
      put: (steps) => this.put(steps), rest: $("panel-search"),
    });
  }

  /** Returns the features that a step applies, by the names that it has for them; a preset is none. */
  featuresOf(at) {
    const names = Object.keys(stepsOf(this.app.imageRequest)?.[at] ?? {});
    return names.map((name) => [name, this.app.language.named.get(name)]).filter(([, feature]) => feature);
  }

  /** Returns the controls of a feature in a step. */
  form(at, name, feature) {
    const { app } = this;
    const { catalogue } = app;
    const edit = {
      isStep: true,
      get values() {
        return readValues(feature, stepsOf(app.imageRequest)?.[at]?.[name] ?? true);
      },
      put: (values) => {
        const steps = stepsOf(app.imageRequest);
        this.wrong = -1;
        putSteps(app.imageRequest, steps.with(at, { ...steps[at], [name]: asJson(feature.name, values) }));
      },
      before: (elements = []) => {
        const earlier = catalogue.features.filter((each) => app.imageRequest.edits[each.name] && changesPixels(each));
        const steps = stepsOf(app.imageRequest).slice(0, at);
        return { edits: Object.fromEntries(earlier.map((each) => [each.name, app.imageRequest.edits[each.name]])), steps: elements.length ? [...steps, { [name]: elements }] : steps };
      },
    };
    return repeats(feature) ? new Repeated(feature, app.controls, edit) : new Parameters(feature, app.controls, edit);
  }

  /** Appends the edits of the panel to the steps, each as one of its own. */
  take() {
    const { imageRequest, catalogue, controls } = this.app;
    const taken = catalogue.features.filter(({ name, group }) => imageRequest.edits[name] && group !== "report");
    const steps = taken.flatMap(({ name }) => [imageRequest.edits[name]].flat().map((values) => ({ [name]: asJson(name, values) })));
    putSteps(imageRequest, [...stepsOf(imageRequest), ...steps]);
    for (const { name } of taken) delete imageRequest.edits[name];
    controls.changed();
    $("steps").querySelector("button:not([disabled])")?.focus();
  }

  show(imageRequest) {
    const steps = stepsOf(imageRequest);
    const isOrderable = Object.values(imageRequest.edits).flat().length + (steps?.length ?? 0) > 1;
    $("into-steps").hidden = !steps || !isOrderable || !Object.keys(imageRequest.edits).length;
    $("steps").hidden = !steps?.length && $("into-steps").hidden;
    $("steps-title").hidden = !steps?.length;
    this.list.show(steps ?? [], this.wrong);
  }

  put(steps) {
    this.wrong = -1;
    putSteps(this.app.imageRequest, steps);
    this.app.controls.changed();
  }

  /** Marks the step that an error names; returns the name of its field and what reveals it, or null. */
  mark(error) {
    const [, at, name, element, parameter] = /`steps\[(\d+)\](?:\.(\w+))?(?:\[(\d+)\])?(?:\.(\w+))?/.exec(error.message) ?? [];
    this.wrong = Number(at ?? -1);
    this.list.clear();
    this.show(this.app.imageRequest);
    const form = this.featuresOf(this.wrong).findIndex(([each]) => each === name);
    if (form < 0) return null;
    const { wrong } = this;
    const reveal = () => this.list.mark(wrong, parameter, error, { form, element: Number(element ?? 0) });
    if (this.list.opened === wrong) reveal();
    return { title: label(parameter ?? name), reveal };
  }
}

/** Returns the parameters of a step in short. */
function described(step) {
  const inShort = (values) => (Array.isArray(values) ? values.map(inShort).join(" | ") : values !== null && typeof values === "object" ? summary(values) : values === true ? "" : String(values));
  return Object.values(step).map(inShort).filter(Boolean).join("; ");
}
