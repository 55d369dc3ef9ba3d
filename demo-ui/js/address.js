/**
 * The service's own URL language: reads a URL into a request and writes a request as a URL.
 *
 * A request (`imageRequest`) is {bucket, key, edits: {feature: {parameter: value}}, output: {parameter: value}, other: [[name, value]]}.
 */

import { repeats } from "./catalogue.js";

const CONTROLS = ["bucket", "feature", "expires", "signature"];
const NUMBERED = /^(0|[1-9]\d?)\.(.+)$/s; // watermark.0.key
const SIZES = ["width", "height"];
const ODD_KEY = /^(_|\/|unsafe\/|fit-in\/|(-?\d*x-?\d*)\/|[\d.]+x[\d.]+:|filters:|s3:|[\w+/=-]+$)/;

export const empty = () => ({ bucket: "", key: "", edits: {}, output: {}, other: [] });

const spelled = (value) => encodeURIComponent(value).replace(/%(2C|2F|3A|40)/g, decodeURIComponent);
const byName = (parameters, name) => parameters.find((each) => each.name === name || each.aliases?.includes(name));

/** Reads and writes URLs with the names of a catalogue. */
export class Language {
  constructor({ features, output }) {
    this.features = features;
    this.output = output;
    this.named = new Map(features.flatMap((each) => [each.name, ...(each.aliases ?? [])].map((name) => [name, each])));
  }

  /** Returns path and query, or `base` alone if the request has no parameters. */
  write(imageRequest) {
    const query = this.pairs(imageRequest).map(([name, value]) => `${encodeURIComponent(name)}=${spelled(value)}`).join("&");
    return this.path(imageRequest) + (query ? `?${query}` : "");
  }

  path({ key }) {
    const encoded = key.split("/").map(encodeURIComponent).join("/");
    return ODD_KEY.test(key) ? `/_key/${encoded}` : `/${encoded}`;
  }

  /** Returns names and values, with the features in the order in which they apply. */
  pairs(imageRequest) {
    const on = this.features.filter((feature) => imageRequest.edits[feature.name]);
    const pairs = imageRequest.bucket ? [["bucket", imageRequest.bucket]] : [];
    for (const feature of on) pairs.push(...this.listed(feature, imageRequest.edits[feature.name], on));
    for (const { name } of this.output) if (name in imageRequest.output) pairs.push([name, imageRequest.output[name]]);
    return [...pairs, ...imageRequest.other];
  }

  /** Returns the names and values of a feature, whose elements are numbered if there is a list of them. */
  listed(feature, values, on) {
    if (!Array.isArray(values)) return this.pairsOf(feature, values, on);
    const { name, parameters } = feature;
    const standard = parameters.find((each) => each.default !== null && each.default !== undefined);
    return values.flatMap((each, at) => {
      const given = parameters.filter((parameter) => parameter.name in each).map((parameter) => [parameter.name, each[parameter.name]]);
      if (!given.length && standard) given.push([standard.name, standard.default]); // else there would be no such number
      return given.map(([parameter, value]) => [`${name}.${at}.${parameter}`, value]);
    });
  }

  /** Returns the names and values of a feature that has no list, in their shortest form. */
  pairsOf(feature, values, on) {
    const given = feature.parameters.filter(({ name }) => name in values).map((each) => [each, values[each.name]]);
    if (!given.length) return [[feature.name, "true"]];
    if (given.length === 1 && given[0][0].main) return [[feature.name, given[0][1]]];
    const sized = feature.name === "resize" && SIZES.some((name) => values[name]);
    const bare = (name) => sized && (SIZES.includes(name) || this.belongsTo(feature, name, on));
    return given.map(([{ name }, value]) => [bare(name) ? name : `${feature.name}.${name}`, value]);
  }

  /** Returns whether a name without a dot is unambiguous: only this one of the active features has it. */
  belongsTo(feature, name, on) {
    if (this.named.has(name) || byName(this.output, name) || CONTROLS.includes(name)) return false;
    return on.every((each) => each === feature || !byName(each.parameters, name));
  }

  /** Returns the request of a URL. Unknown names stay as they are; the service validates them. */
  read(address) {
    const [path, query = ""] = address.split("#")[0].split(/\?(.*)/s);
    const imageRequest = empty();
    const key = path.replace(/^\/(_key\/)?/, "");
    try {
      imageRequest.key = decodeURIComponent(key);
    } catch {
      imageRequest.key = key;
    }
    this.apply(imageRequest, [...new URLSearchParams(query)]);
    return imageRequest;
  }

  apply(imageRequest, pairs) {
    const named = pairs.filter(([name]) => name === "feature").flatMap(([, value]) => value.split(","));
    const chosen = named.map((name) => this.named.get(name.trim())).filter(Boolean);
    const undotted = [];
    const numbered = new Map();
    for (const [name, value] of pairs) {
      const [head, rest] = name.split(/\.(.*)/s);
      const feature = this.named.get(head);
      if (name === "bucket") imageRequest.bucket = value;
      else if (CONTROLS.includes(name)) continue;
      else if (rest && feature && NUMBERED.test(rest) && repeats(feature)) numbered.set(feature, [...(numbered.get(feature) ?? []), [name, ...NUMBERED.exec(rest).slice(1), value]]);
      else if (rest && head === "output") this.set(imageRequest.output, this.output, rest, value, imageRequest, name);
      else if (rest && feature) this.set((imageRequest.edits[feature.name] ??= {}), feature.parameters, rest, value, imageRequest, name);
      else if (feature && !chosen.some((each) => byName(each.parameters, name))) this.switchOn(imageRequest, feature, value);
      else undotted.push([name, value]);
    }
    for (const [feature, given] of numbered) this.setList(imageRequest, feature, given);
    for (const feature of chosen) imageRequest.edits[feature.name] ??= {};
    for (const [name, value] of undotted) this.settle(imageRequest, chosen, name, value);
  }

  /** Sets a list of a feature: [[whole name, number, parameter, value]…]. Where a number is missing, the service says so. */
  setList(imageRequest, feature, given) {
    const elements = [];
    for (const [, at] of given) elements[at] ??= {};
    if (imageRequest.edits[feature.name] || elements.length > given.length || elements.includes(undefined)) return void imageRequest.other.push(...given.map(([whole, , , value]) => [whole, value]));
    for (const [whole, at, name, value] of given) this.set(elements[at], feature.parameters, name, value, imageRequest, whole);
    imageRequest.edits[feature.name] = elements.length > 1 ? elements : elements[0];
  }

  switchOn(imageRequest, feature, value) {
    if (/^(false|no|off)$/i.test(value)) return;
    const edit = (imageRequest.edits[feature.name] ??= {});
    const main = feature.parameters.find((each) => each.main);
    if (main && !/^(true|yes|on|auto)$/i.test(value)) edit[main.name] = typed(main, value);
    else if (main?.choices?.includes(value)) edit[main.name] = value;
  }

  /** Resolves a name without a dot: in the named features, the active ones, the output options, or the only feature that has it. */
  settle(imageRequest, chosen, name, value) {
    const having = (features) => features.filter((each) => byName(each.parameters, name));
    const on = this.features.filter((each) => imageRequest.edits[each.name]);
    let claims = having(chosen);
    if (!claims.length && SIZES.includes(name)) claims = [this.named.get("resize")];
    if (!claims.length) claims = having(on);
    if (!claims.length && byName(this.output, name)) return this.set(imageRequest.output, this.output, name, value, imageRequest, name);
    if (!claims.length) claims = having(this.features);
    if (claims.length !== 1) return void imageRequest.other.push([name, value]);
    this.set((imageRequest.edits[claims[0].name] ??= {}), claims[0].parameters, name, value, imageRequest, name);
  }

  set(values, parameters, name, value, imageRequest, whole) {
    const parameter = byName(parameters, name);
    if (parameter) values[parameter.name] = typed(parameter, value);
    else imageRequest.other.push([whole, value]);
  }

  /** Returns the features and parameters that a message names in backticks: [feature or "", parameter, number in a list]. */
  places(message, imageRequest) {
    const found = [];
    for (const [, name] of message.matchAll(/`([\w.]+)(?:=[^`]*)?`/g)) {
      const [, head, at, rest] = /^([^.]*)(?:\.(\d+))?(?:\.([^.]*))?/.exec(name);
      const feature = this.named.get(head);
      const parameter = feature && (rest ? byName(feature.parameters, rest) : feature.parameters.find((each) => each.main));
      if (feature && rest && !parameter) continue;
      if (feature) found.push([feature.name, parameter?.name ?? "", Number(at ?? 0)]);
      else if (byName(this.output, rest && head === "output" ? rest : name)) found.push(["", byName(this.output, rest ?? name).name]);
      else for (const each of this.features) {
        if (imageRequest.edits[each.name] && byName(each.parameters, name)) found.push([each.name, byName(each.parameters, name).name]);
      }
    }
    return found;
  }
}

/** Converts a value to the type of its control. What cannot be converted stays as it is; the service validates it. */
function typed(parameter, value) {
  if (parameter.control === "switch" && /^(true|false)$/.test(value)) return value === "true";
  if (["integer", "number"].includes(parameter.control) && value.trim() !== "" && Number.isFinite(Number(value))) return Number(value);
  return value;
}
