/**
 * Which parameters of a feature exclude or need each other. features.json has the rules, which the service finds by
 * trying its own models: `excludes` and `needs` are [parameter, value, [[other, value]…]], with "" for any value.
 */

import { label } from "./catalogue.js";
import { listOf, t } from "./messages.js";

const isGiven = (values, name, value) => name in values && (value === "" || String(values[name]) === value);

/** Removes what cannot be combined with a parameter that was just set. Returns the names of what was removed. */
export function makeRoom({ excludes = [] }, values, changed) {
  const removed = [];
  for (const [name, value, others] of excludes) {
    const parts = [[name, value], ...others];
    if (!parts.every((part) => isGiven(values, ...part)) || !parts.some(([part]) => part === changed)) continue;
    const [other] = changed === name ? (others.find(([part]) => part === "height") ?? others.at(-1)) : [name];
    delete values[other];
    removed.push(other);
  }
  return removed;
}

/** Returns in words what a parameter needs that is not given, or "". A parameter that is set is never refused. */
export function lack({ needs = [] }, values, name) {
  if (name in values) return "";
  const rules = needs.filter(([each, value]) => each === name && value === "");
  const isMutual = (other) => needs.some(([each, , others]) => each === other && others.some(([part]) => part === name));
  const missing = rules.find(([, , others]) => !others.some((part) => isGiven(values, ...part) || isMutual(part[0])));
  if (!missing) return "";
  const [, , others] = missing;
  const named = others.map(([other, value]) => (value === "" || value === "true" ? label(other) : `${label(other)}: ${value}`));
  return t("card.needs", { names: listOf(named, "disjunction") });
}

const POINTS = ["focalPoint", "focalX", "focalY"];

/** Returns in words why a parameter that is set has no effect, or "": nothing is cut off around a focal point then. */
export function idle({ name: feature }, values, name) {
  if (feature !== "resize" || !POINTS.includes(name) || !(name in values)) return "";
  const isCut = values.width && values.height && (values.fit ?? "cover") === "cover";
  return isCut ? "" : t("card.no-cut", { name: label(name), width: label("width"), height: label("height"), fit: label("fit") });
}

/** Returns what a sentence says of removed parameters. */
export const tellRemoved = (names, changed) =>
  names.length ? t("card.removed", { names: listOf(names.map(label)), other: label(changed) }) : "";

const SIDES = [["left", "width"], ["top", "height"]];
const share = (value) => Number(/^([\d.]+)[p%]$/.exec(String(value ?? ""))?.[1] ?? NaN);

/** Keeps a box in percent inside of the image. */
export function keepInside(values, changed) {
  for (const [start, length] of SIDES) {
    const [from, long] = [share(values[start]), share(values[length])];
    if (!(from + long > 100)) continue;
    if (changed === start) values[length] = `${Math.max(1, Math.round((100 - from) * 10) / 10)}p`;
    else values[start] = `${Math.round((100 - long) * 10) / 10}p`;
  }
}
