/** Shows a JSON report as a table, with colours as swatches. */

import { label } from "./catalogue.js";
import { h } from "./dom.js";
import { t } from "./messages.js";

const COLOUR = /^#[0-9a-f]{6}([0-9a-f]{2})?$/i;

const isRecord = (each) => each !== null && typeof each === "object" && !Array.isArray(each);

export function report(content) {
  return h("div", { class: "sheet" }, value(content));
}

function value(content) {
  if (Array.isArray(content) && content.length && content.every(isRecord)) return table(content);
  if (Array.isArray(content)) return content.length ? h("ul", {}, content.map((each) => h("li", {}, value(each)))) : muted(t("report.none"));
  if (content && typeof content === "object") {
    const rows = Object.entries(content).map(([name, each]) => h("div", {}, h("dt", {}, label(name)), h("dd", {}, value(each))));
    return rows.length ? h("dl", {}, rows) : muted(t("report.nothing"));
  }
  if (typeof content === "string" && COLOUR.test(content)) return colour(content);
  if (content === null || content === "") return muted(t("report.none"));
  return typeof content === "boolean" ? t(content ? "report.yes" : "report.no") : String(content);
}

/** Shows records of one kind, one per row. */
function table(records) {
  const names = [...new Set(records.flatMap(Object.keys))];
  const cell = (record, name, index) => h(index ? "td" : "th", index ? {} : { scope: "row" }, name in record ? value(record[name]) : muted(t("report.none")));
  return h("table", {},
    h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, label(name))))),
    h("tbody", {}, records.map((record) => h("tr", {}, names.map((name, index) => cell(record, name, index))))));
}

const muted = (text) => h("span", { class: "muted" }, text);

function colour(text) {
  const swatch = h("span", { class: "swatch" });
  swatch.style.backgroundColor = text;
  return h("span", { class: "colour" }, swatch, h("code", {}, text));
}
