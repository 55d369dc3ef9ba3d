/**
 * A control for each kind of parameter. A maker gets the parameter, the id of its element and `change(value)`, where
 * undefined removes the value. It returns {body, show(value), labelled}: the elements of the row, a function that shows
 * a value, and whether a <label> can point at the id (else the row is a group with a legend).
 */

import { h, icon, label } from "./dom.js";

const FEW = 5;
const SHORT = 34;
const NINE = ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];
const RATIOS = ["1:1", "4:3", "3:2", "16:9", "2:3", "9:16"];
const PERCENT = /^(-?[\d.]+)[p%]$/;

const isUnset = (value) => value === undefined || value === null || value === "";

/** Returns 1, 2 or 5 times a power of ten, for about a hundred steps from end to end. */
export function stepOf({ control, usual: [from, to] }) {
  const rough = (to - from) / 100;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.99) * power;
  return control === "integer" ? Math.max(1, Math.round(step)) : Number(step.toPrecision(1));
}

function number(parameter, id, change) {
  const { usual, unit } = parameter;
  const [from, to] = usual;
  const step = stepOf(parameter);
  // A range input counts from its minimum: start at a multiple of the step, so that 0.3 to 50 gives 0.3, 0.5, 1.
  const slider = h("input", { type: "range", min: Math.floor(from / step) * step, max: to, step, "aria-label": `${label(parameter.name)}, slider` });
  const entry = h("input", { type: "number", id, step: parameter.control === "integer" ? 1 : "any", inputmode: "decimal", placeholder: parameter.required ? "" : "auto" });
  const say = (text) => change(text === "" || !Number.isFinite(Number(text)) ? undefined : Number(text));
  slider.addEventListener("input", () => {
    entry.value = String(Math.max(from, Number(slider.value)));
    say(entry.value);
  });
  entry.addEventListener("input", () => {
    if (entry.value) slider.value = entry.value;
    say(entry.value);
  });
  return {
    labelled: true,
    entry: [entry, unit && h("span", { class: "unit" }, unit)],
    body: [slider],
    show(value) {
      // A value that is not a number stays in the URL; the service refuses it.
      const shown = [value, parameter.default].find((each) => !isUnset(each) && Number.isFinite(Number(each)));
      if (document.activeElement !== entry) entry.value = isUnset(shown) ? "" : shown;
      slider.value = isUnset(shown) ? from : shown;
      const share = Math.min(1, Math.max(0, (slider.value - slider.min) / (slider.max - slider.min)));
      slider.style.setProperty("--part", String(share));
    },
  };
}

function length(parameter, id, change) {
  let percent = true;
  const slider = h("input", { type: "range", "aria-label": `${label(parameter.name)}, slider` });
  const entry = h("input", { type: "number", id, step: "any", inputmode: "decimal", placeholder: "auto" });
  const unit = h("select", { "aria-label": `${label(parameter.name)}, unit` }, h("option", { value: "%" }, "%"), h("option", { value: "px" }, "px"));
  const bound = () => {
    slider.min = "0";
    slider.max = percent ? "100" : "2000";
    slider.step = percent ? "0.5" : "5";
    unit.value = percent ? "%" : "px";
  };
  const say = () => change(entry.value === "" ? undefined : percent ? `${Number(entry.value)}p` : `${Number(entry.value)}`);
  bound();
  slider.addEventListener("input", () => {
    entry.value = slider.value;
    say();
  });
  entry.addEventListener("input", say);
  unit.addEventListener("change", () => {
    percent = unit.value === "%";
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
      if (!isUnset(shown)) percent = Boolean(match);
      bound();
      const said = match ? match[1] : (shown ?? "");
      const amount = Number.isFinite(Number(said)) ? said : "";
      if (document.activeElement !== entry) entry.value = amount;
      slider.value = amount === "" ? "0" : amount;
      slider.style.setProperty("--part", String(Math.min(1, Math.max(0, slider.value / slider.max))));
    },
  };
}

/** A row of radio buttons: [[value, text]…], with an empty value for unset. */
function segmented(id, pairs, change, kind = "segmented") {
  const inputs = pairs.map(([value, text]) => {
    const input = h("input", { type: "radio", name: id, value, onchange: () => change(value === "" ? undefined : value) });
    return { input, element: h("label", { title: kind === "pad" ? text : null }, input, h("span", {}, kind === "pad" ? h("i", { class: "hidden" }, text) : text)) };
  });
  return {
    element: h("div", { class: kind }, inputs.map(({ element }) => element)),
    show: (value) => inputs.forEach(({ input }) => (input.checked = input.value === String(value ?? ""))),
  };
}

function choice(parameter, id, change) {
  const { choices, default: unsaid } = parameter;
  const free = isUnset(unsaid);
  if (choices.length <= FEW && choices.join("").length <= SHORT) {
    const pairs = [...(free && !parameter.required ? [["", "–"]] : []), ...choices.map((each) => [each, each])];
    const row = segmented(id, pairs, change);
    return { labelled: false, body: [row.element], show: (value) => row.show(isUnset(value) ? unsaid : value) };
  }
  const options = choices.map((each) => h("option", { value: each }, each));
  const select = h("select", { id, onchange: () => change(select.value || undefined) }, free && h("option", { value: "" }, "not set"), options);
  return { labelled: true, entry: [select], body: [], show: (value) => (select.value = isUnset(value) ? (unsaid ?? "") : value) };
}

/** The nine positions as a grid of buttons, with the automatic ones beside it. */
function position(parameter, id, change) {
  const pad = segmented(id, NINE.map((each) => [each, each]), change, "pad");
  const others = parameter.choices.filter((each) => !NINE.includes(each));
  const more = others.length ? segmented(id, others.map((each) => [each, each]), change) : null;
  return {
    labelled: false,
    body: [h("div", { class: "places" }, pad.element, more?.element)],
    show(value) {
      for (const each of [pad, more]) each?.show(isUnset(value) ? parameter.default : value);
    },
  };
}

function toggle(parameter, id, change) {
  if (parameter.default === null) {
    const row = segmented(id, [["", "auto"], ["true", "on"], ["false", "off"]], (value) => change(value === undefined ? undefined : value === "true"));
    return { labelled: false, body: [row.element], show: row.show };
  }
  const input = h("input", { type: "checkbox", role: "switch", class: "switch", id, onchange: () => change(input.checked) });
  return { labelled: true, entry: [input], body: [], show: (value) => (input.checked = isUnset(value) ? parameter.default : value === true) };
}

function text(parameter, id, change, more = {}) {
  const input = h("input", { type: "text", id, spellcheck: "false", autocapitalize: "off", autocomplete: "off", maxlength: parameter.maxLength, ...more });
  input.addEventListener("input", () => change(input.value === "" ? undefined : input.value));
  return {
    labelled: true,
    input,
    body: [input],
    show: (value) => {
      if (document.activeElement !== input) input.value = isUnset(value) ? "" : value;
    },
  };
}

const probe = document.createElement("canvas").getContext("2d");

/** Returns a colour as #rrggbb, or null if the browser does not know it. */
export function asHex(value) {
  const spelling = /^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(value) ? `#${value}` : value;
  if (!CSS.supports("color", spelling)) return null;
  probe.fillStyle = spelling;
  const canonical = probe.fillStyle;
  if (canonical.startsWith("#")) return canonical;
  const parts = canonical.match(/[\d.]+/g).slice(0, 3);
  return `#${parts.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
}

function color(parameter, id, change) {
  const line = text(parameter, id, change, { placeholder: parameter.default ?? "name or hex" });
  const picker = h("input", { type: "color", "aria-label": `${label(parameter.name)}, picker` });
  const paint = (value) => (picker.value = asHex(value ?? "") ?? asHex(parameter.default ?? "") ?? "#888888");
  picker.addEventListener("input", () => {
    line.input.value = picker.value.slice(1);
    change(line.input.value);
  });
  line.input.addEventListener("input", () => paint(line.input.value));
  return {
    labelled: true,
    body: [h("div", { class: "pair" }, picker, line.input)],
    show(value) {
      line.show(value);
      paint(value);
    },
  };
}

function point(parameter, id, change, { pick }) {
  const line = text(parameter, id, change, { placeholder: "0.5,0.5" });
  const button = h("button", { type: "button", onclick: () => pick(button) }, icon("target"), "Select on image");
  return { ...line, body: [h("div", { class: "pair" }, line.input, button)] };
}

function ratio(parameter, id, change) {
  const line = text(parameter, id, change, { placeholder: "16:9 or 1.5" });
  const common = RATIOS.map((each) =>
    h("button", { type: "button", class: "chip", "aria-label": `${label(parameter.name)} ${each}`, onclick: () => { line.input.value = each; change(each); } }, each));
  return { ...line, body: [line.input, h("div", { class: "chips" }, common)] };
}

const keyed = (parameter) => /(^|[a-z])key$/i.test(parameter.name);
const line = (parameter, id, change) => text(parameter, id, change, keyed(parameter) ? { list: "keys", placeholder: "logo.png" } : {});
const names = (parameter, id, change) => text(parameter, id, change, { placeholder: "one, two" });
const numbers = (parameter, id, change) => text(parameter, id, change, { placeholder: "0,1,0" });
const boxes = (parameter, id, change) => text(parameter, id, change, { placeholder: "10p,10p,20p,30p" });

const MAKERS = {
  integer: number, number, length, choice, position, switch: toggle, color, point, ratio, names, numbers, boxes, text: line,
  backdrop: (parameter, id, change) => color({ ...parameter, default: parameter.default ?? null }, id, change),
};

let count = 0;

/** A row with label, control, help and error. */
export function row(parameter, change, context) {
  const id = `f${(count += 1)}`;
  const field = (MAKERS[parameter.control] ?? line)(parameter, id, change, context);
  const help = h("p", { class: "help", id: `${id}-help` }, parameter.help);
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const undo = h("button", { type: "button", class: "icon undo", "aria-label": `Reset ${label(parameter.name)}`, title: "Reset", onclick: () => { change(undefined); } }, icon("undo"));
  const name = label(parameter.name);
  const head = h("div", { class: "row-head" },
    field.labelled ? h("label", { for: id }, name) : h("span", { id: `${id}-name` }, name),
    h("span", { class: "entry" }, field.entry ?? null), undo);
  const element = h("div", { class: "row", "data-kind": parameter.control, ...(field.labelled ? {} : { role: "radiogroup", "aria-labelledby": `${id}-name` }) }, head, field.body, help, wrong);
  const targets = field.labelled ? [...element.querySelectorAll("input, select")] : [element];
  for (const target of targets) target.setAttribute("aria-describedby", `${id}-help ${id}-wrong`);
  return {
    element,
    parameter,
    show(value) {
      field.show(value);
      element.classList.toggle("set", !isUnset(value));
    },
    mark(message) {
      wrong.hidden = !message;
      wrong.textContent = message;
      const target = field.labelled ? element.querySelector(`#${id}`) : element;
      if (message) target.setAttribute("aria-invalid", "true");
      else target.removeAttribute("aria-invalid");
      element.classList.toggle("bad", Boolean(message));
    },
    focus: () => element.querySelector(`#${id}, input, select`)?.focus(),
  };
}
