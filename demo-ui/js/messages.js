/** The texts of the pages in the visitor's language: one file in messages/ for each language. */

import { language } from "./locale.js";

const texts = await (await fetch(new URL(`../messages/${language}.json`, import.meta.url))).json();
document.documentElement.lang = language;
document.documentElement.dir = new Intl.Locale(language).getTextInfo?.().direction ?? "ltr";

/** Returns a text with its values: `{count}` stands for one, and a text with forms has one for each plural. */
export function t(key, values = {}) {
  let text = texts[key] ?? key;
  if (typeof text === "object") text = text[new Intl.PluralRules(language).select(values.count)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name] ?? whole;
    return typeof value === "number" ? number(value) : value;
  });
}

/** Returns a text, or `other` if the language has none under this key. */
export const optional = (key, other) => (key in texts ? t(key) : other);

/** Puts the texts into a part of the page: `data-text` is the content, the others are attributes. */
function translate(part) {
  for (const [data, put] of PLACES) {
    for (const element of part.querySelectorAll(`[data-${data}]`)) {
      if (element.dataset[data] in texts) put(element, t(element.dataset[data])); // else the page's own text stays
    }
  }
}

const attribute = (name) => (element, text) => element.setAttribute(name, text);
const PLACES = [
  ["text", (element, text) => (element.textContent = text)],
  ["label", attribute("aria-label")],
  ["alt", attribute("alt")],
  ["title", attribute("title")],
  ["placeholder", attribute("placeholder")],
];

/** Returns texts as a list: "a, b and c", or with `kind` "disjunction" "a, b or c". */
export const listOf = (items, kind = "conjunction") => new Intl.ListFormat(language, { type: kind }).format(items);

export const number = (value) => new Intl.NumberFormat(language).format(value);

const DIGITS = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }; // of kilobytes and megabytes

/** Returns a size such as "56.3 kB". */
export function size(bytes) {
  const [value, unit] = bytes < 1000 ? [bytes, "byte"] : bytes < 999_500 ? [bytes / 1000, "kilobyte"] : [bytes / 1e6, "megabyte"];
  return new Intl.NumberFormat(language, { style: "unit", unit, ...(unit === "byte" ? { unitDisplay: "long" } : DIGITS) }).format(value);
}

/** Returns a change such as "−87 %". */
export function change(share) {
  const percent = Math.round(share * 100);
  return percent ? `${percent < 0 ? "−" : "+"}${number(Math.abs(percent))} %` : t("same-size");
}

const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60]];

/** Returns how long ago a moment was, or the date if that is more than a week. */
export function ago(moment) {
  const seconds = (Date.now() - new Date(moment)) / 1000;
  if (seconds > 7 * 86_400) return day(moment);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, length] of UNITS) if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  return t("just-now");
}

export const day = (moment) => new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(moment));
export const minute = (moment) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));

/** Returns a duration such as "85 ms" or "1.4 s". */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const digits = milliseconds < 10_000 ? 1 : 0;
  return `${new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(milliseconds / 1000)} s`;
}

translate(document);
