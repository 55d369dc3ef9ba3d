/** Controls for numbers and for lengths: a slider with an entry beside it. Makers as in fields.js. */

import { label } from "./catalogue.js";
import { h } from "./dom.js";
import { t } from "./messages.js";

const PERCENT = /^(-?[\d.]+)[p%]$/;
const LOGARITHMIC_STEPS = 200;

export const isUnset = (value) => value === undefined || value === null || value === "";

/** Returns 1, 2 or 5 times a power of ten, for about a hundred steps from end to end. */
export function stepOf({ control, usual: [from, to] }) {
  const rough = (to - from) / 100;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.99) * power;
  return control === "integer" ? Math.max(1, Math.round(step)) : Number(step.toPrecision(1));
}

/** How far a slider is moved for a value, in equal steps. */
const linear = (parameter) => {
  const [from, to] = parameter.usual;
  const step = stepOf(parameter);
  // A range input counts from its minimum: start at a multiple of the step, so that 0.3 to 50 gives 0.3, 0.5, 1.
  const min = Math.floor(from / step) * step;
  return { bounds: () => ({ min, max: to, step }), at: (value) => value, value: (at) => Math.max(from, at) };
};

/** How far a slider is moved for a number of bytes: each step changes it by the same factor. */
const logarithmic = ({ usual: [from, to] }, largest) => {
  const span = () => Math.log(Math.max(from * 2, largest() ?? to) / from);
  const rounded = (value) => Number(value.toPrecision(2));
  return {
    bounds: () => ({ min: 0, max: LOGARITHMIC_STEPS, step: 1 }),
    at: (value) => (Math.log(Math.max(from, value) / from) / span()) * LOGARITHMIC_STEPS,
    value: (at) => rounded(from * Math.exp((at / LOGARITHMIC_STEPS) * span())),
  };
};

const fill = (slider) => slider.style.setProperty("--part", String(Math.min(1, Math.max(0, (slider.value - slider.min) / (slider.max - slider.min)))));

export function number(parameter, id, change, { effective }) {
  const { unit } = parameter;
  const scale = unit === "bytes" ? logarithmic(parameter, effective) : linear(parameter);
  const slider = h("input", { type: "range", ...scale.bounds(), "aria-label": t("field.slider", { name: label(parameter.name) }) });
  const entry = h("input", { type: "number", id, step: parameter.control === "integer" ? 1 : "any", inputmode: "decimal" });
  const say = (text) => change(text === "" || !Number.isFinite(Number(text)) ? undefined : Number(text));
  slider.addEventListener("input", () => {
    entry.value = String(scale.value(Number(slider.value)));
    say(entry.value);
  });
  entry.addEventListener("input", () => {
    if (entry.value) slider.value = scale.at(Number(entry.value));
    say(entry.value);
  });
  const words = (parameter.choices ?? []).map((word) => {
    const name = `${label(parameter.name)}: ${word}`;
    const chip = h("button", { type: "button", class: "chip", "aria-pressed": "false", "aria-label": name, onclick: () => change(chip.getAttribute("aria-pressed") === "true" ? undefined : word) }, word);
    return chip;
  });
  return {
    labelled: true,
    entry: [...words, entry, unit && h("span", { class: "unit" }, unit)],
    body: [slider],
    show(value) {
      for (const chip of words) chip.setAttribute("aria-pressed", String(chip.textContent === value));
      // A value that is not a number stays in the URL; the service refuses it.
      const shown = [value, parameter.default].find((each) => !isUnset(each) && Number.isFinite(Number(each)));
      const known = effective();
      if (document.activeElement !== entry) entry.value = isUnset(shown) ? "" : shown;
      entry.placeholder = parameter.required || parameter.choices?.includes(value) ? "" : isUnset(known) ? t("field.auto") : String(known);
      slider.value = scale.at(Number([shown, known, parameter.usual[0]].find((each) => !isUnset(each))));
      fill(slider);
    },
  };
}

export function length(parameter, id, change, { sideOf, sideBefore, effective }) {
  let percent = true;
  let side; // in pixels, once a unit was changed
  const slider = h("input", { type: "range", "aria-label": t("field.slider", { name: label(parameter.name) }) });
  const entry = h("input", { type: "number", id, step: "any", inputmode: "decimal", placeholder: t("field.auto") });
  const unit = h("select", { "aria-label": t("field.unit", { name: label(parameter.name) }) }, h("option", { value: "%" }, "%"), h("option", { value: "px" }, "px"));
  const bound = () => {
    slider.min = "0";
    slider.max = percent ? "100" : String(sideOf() ?? side ?? 2000);
    slider.step = percent ? "0.5" : "1";
    unit.value = percent ? "%" : "px";
  };
  const say = () => change(entry.value === "" ? undefined : percent ? `${Number(entry.value)}p` : `${Number(entry.value)}`);
  /** Keeps the length when its unit changes. Without the size of the image there is nothing to convert by. */
  const convert = () => {
    if (!side || entry.value === "") return;
    entry.value = String(percent ? Math.round((Number(entry.value) / side) * 1000) / 10 : Math.round((Number(entry.value) * side) / 100));
  };
  bound();
  slider.addEventListener("input", () => {
    entry.value = slider.value;
    say();
  });
  entry.addEventListener("input", say);
  unit.addEventListener("change", async () => {
    const toPercent = unit.value === "%";
    if (entry.value !== "") side = await sideBefore();
    if (!unit.isConnected || percent === toPercent) return;
    percent = toPercent;
    convert();
    bound();
    if (entry.value !== "") say();
  });
  return {
    labelled: true,
    entry: [entry, unit],
    body: [slider],
    show(value) {
      const shown = isUnset(value) ? (parameter.default === "0" ? "" : parameter.default) : value;
      const match = PERCENT.exec(shown ?? "");
      const known = isUnset(shown) ? PERCENT.exec(effective() ?? "")?.[1] : undefined;
      if (!isUnset(shown)) percent = Boolean(match);
      else if (known !== undefined) percent = true;
      bound();
      const text = match ? match[1] : (shown ?? "");
      const amount = Number.isFinite(Number(text)) ? text : "";
      if (document.activeElement !== entry) entry.value = amount;
      entry.placeholder = known ?? t("field.auto");
      slider.value = amount === "" ? (known ?? "0") : amount;
      fill(slider);
    },
  };
}
