/**
 * A control for each kind of parameter. A maker gets the parameter, the id of its element and `change(value)`, where
 * undefined removes the value. It returns {body, show(value), labelled}: the elements of the row, a function that shows
 * a value, and whether a <label> can point at the id (else the row is a group with a legend).
 */

import { inItsLanguage, label } from "./catalogue.js";
import { h, icon, inEnglish, prose } from "./dom.js";
import { curve, grid } from "./grids.js";
import { t } from "./messages.js";
import { isUnset, length, number } from "./numbers.js";

const FEW = 5;
const SHORT = 34;
const NINE = ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];
const RATIOS = ["1:1", "4:3", "3:2", "16:9", "2:3", "9:16"];
/** A row of radio buttons: [[value, text]…], with an empty value for unset. */
function segmented(id, pairs, change, kind = "segmented") {
  const inputs = pairs.map(([value, text]) => {
    const input = h("input", { type: "radio", name: id, value, onchange: () => change(value === "" ? undefined : value) });
    return { input, element: h("label", { title: kind === "pad" ? text : null }, input, h("span", {}, kind === "pad" ? h("i", { class: "hidden" }, text) : text)) };
  });
  return {
    element: h("div", { class: kind }, inputs.map(({ element }) => element)),
    show: (value) => inputs.forEach(({ input }) => (input.checked = input.value === String(value ?? ""))),
    limit(reason) {
      for (const { input, element } of inputs) {
        input.disabled = Boolean(reason(input.value));
        element.title = reason(input.value) || (kind === "pad" ? input.value : "");
      }
    },
  };
}

function choice(parameter, id, change, { reason }) {
  const { choices, default: fallback } = parameter;
  const free = isUnset(fallback);
  if (choices.length <= FEW && choices.join("").length <= SHORT) {
    const pairs = [...(free && !parameter.required ? [["", "–"]] : []), ...choices.map((each) => [each, each])];
    const row = segmented(id, pairs, change);
    const limit = () => row.limit(reason);
    return { labelled: false, body: [row.element], show: (value) => (limit(), row.show(isUnset(value) ? fallback : value)) };
  }
  const options = choices.map((each) => h("option", { value: each }, each));
  const select = h("select", { id, onchange: () => change(select.value || undefined) }, free && h("option", { value: "" }, t("field.not-set")), options);
  const limit = () => {
    for (const option of options) {
      const why = reason(option.value);
      option.disabled = Boolean(why);
      option.title = why;
      option.textContent = why ? t("field.not-installed", { value: option.value }) : option.value;
    }
  };
  return { labelled: true, entry: [select], body: [], show: (value) => (limit(), (select.value = isUnset(value) ? (fallback ?? "") : value)) };
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
    const row = segmented(id, [["", t("field.auto")], ["true", t("field.on")], ["false", t("field.off")]], (value) => change(value === undefined ? undefined : value === "true"));
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

function color(parameter, id, change, { takeColor }) {
  const line = text(parameter, id, change, { placeholder: parameter.default ?? t("field.color-hint") });
  const picker = h("input", { type: "color", "aria-label": t("field.picker", { name: label(parameter.name) }) });
  const paint = (value) => (picker.value = asHex(value ?? "") ?? asHex(parameter.default ?? "") ?? "#888888");
  picker.addEventListener("input", () => {
    line.input.value = picker.value.slice(1);
    change(line.input.value);
  });
  line.input.addEventListener("input", () => paint(line.input.value));
  const take = h("button", { type: "button", class: "icon", "aria-label": t("field.eyedropper", { name: label(parameter.name) }), title: t("field.eyedropper", { name: label(parameter.name) }) }, icon("pipette"));
  take.addEventListener("click", () => takeColor(take, (hex) => {
    line.input.value = hex;
    change(hex);
  }));
  return {
    labelled: true,
    body: [h("div", { class: "pair" }, picker, line.input, take)],
    show(value) {
      line.show(value);
      paint(value);
    },
  };
}

function point(parameter, id, change, { pick }) {
  const line = text(parameter, id, change, { placeholder: "0.5,0.5" });
  const button = h("button", { type: "button", onclick: () => pick(button) }, icon("target"), t("field.select"));
  return { ...line, body: [h("div", { class: "pair" }, line.input, button)] };
}

function ratio(parameter, id, change) {
  const line = text(parameter, id, change, { placeholder: t("field.ratio-hint") });
  const common = RATIOS.map((each) =>
    h("button", { type: "button", class: "chip", "aria-label": `${label(parameter.name)} ${each}`, onclick: () => { line.input.value = each; change(each); } }, each));
  return { ...line, body: [line.input, h("div", { class: "chips" }, common)] };
}

const keyed = (parameter) => /(^|[a-z])key$/i.test(parameter.name);

function line(parameter, id, change, { choose }) {
  if (!keyed(parameter)) return text(parameter, id, change);
  const entry = text(parameter, id, change, { list: "keys", placeholder: "logo.png" });
  const name = t("overlay.choose", { name: label(parameter.name) });
  const button = h("button", { type: "button", class: "icon", "aria-label": name, title: name, onclick: () => choose((key) => { entry.input.value = key; change(key); }) }, icon("folder"));
  return { ...entry, body: [h("div", { class: "pair" }, entry.input, button)] };
}

const names = (parameter, id, change) => text(parameter, id, change, { placeholder: t("field.names-hint") });

/** A list of numbers, with a curve or a grid below it where the numbers are one. */
function numbers(parameter, id, change, { example, isCurve }) {
  const line = text(parameter, id, change, { placeholder: example ?? "0,1,0" });
  const take = (list) => {
    line.input.value = list;
    change(list);
  };
  const editor = isCurve ? curve(parameter, take) : grid(parameter, take);
  const show = (value) => {
    line.show(value);
    editor.show(isUnset(value) ? parameter.default : value);
  };
  return { ...line, body: [line.input, editor.element], show };
}


const boxes = (parameter, id, change) => text(parameter, id, change, { placeholder: "10p,10p,20p,30p" });

const MAKERS = {
  integer: number, number, length, choice, position, switch: toggle, color, point, ratio, names, numbers, boxes, text: line,
  backdrop: color,
};

let count = 0;

/** A row with label, control, help and error. */
export function row(parameter, change, context) {
  const id = `f${(count += 1)}`;
  const field = (MAKERS[parameter.control] ?? line)(parameter, id, change, context);
  const help = h("p", { class: "help", id: `${id}-help`, ...inItsLanguage(parameter.help) }, prose(parameter.help));
  const why = h("p", { class: "why", id: `${id}-why`, hidden: true });
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const undo = h("button", { type: "button", class: "icon undo", "aria-label": t("field.reset-label", { name: label(parameter.name) }), title: t("field.reset"), onclick: () => { change(undefined); } }, icon("undo"));
  const name = label(parameter.name);
  const head = h("div", { class: "row-head" },
    field.labelled ? h("label", { for: id }, name) : h("span", { id: `${id}-name` }, name),
    h("span", { class: "entry" }, field.entry ?? null), undo);
  const element = h("div", { class: "row", "data-kind": parameter.control, ...(field.labelled ? {} : { role: "radiogroup", "aria-labelledby": `${id}-name` }) }, head, field.body, why, help, wrong);
  const targets = field.labelled ? [...element.querySelectorAll("input, select")] : [element];
  for (const target of targets) target.setAttribute("aria-describedby", `${id}-why ${id}-help ${id}-wrong`);
  return {
    element,
    parameter,
    show(value) {
      field.show(value);
      element.classList.toggle("set", !isUnset(value));
    },
    /** Disables the row for a reason in words; an empty one enables it. */
    disable(reason) {
      if (why.hidden === !reason && why.textContent === reason) return;
      why.hidden = !reason;
      why.textContent = reason;
      element.classList.toggle("off", Boolean(reason));
      for (const each of element.querySelectorAll("input, select, .chip, .pair button")) each.disabled = Boolean(reason);
    },
    /** Shows a remark on the value, which stays as it is. */
    remark(text) {
      if (!text) return;
      why.hidden = false;
      why.textContent = text;
    },
    mark(message, isOfService = false) {
      inEnglish(wrong, isOfService);
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
