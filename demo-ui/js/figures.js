/** The figures below the image: size, bytes, format, saving, time and cache. */

import { $, h, whole } from "./dom.js";
import { change, duration, size as bytes, t } from "./messages.js";

const NONE = "…";
const nameOf = (format) => (format === "webp" ? "WebP" : format.toUpperCase());

/** Returns the usual name of the format of a media type. */
export const format = (type) => ({ "image/svg+xml": "SVG", "image/x-icon": "ICO" })[type] ?? nameOf(type.split("/").pop().split(";")[0]);

/** Shows parts between which a narrow screen may break the line. */
const figure = (id, ...parts) => $(id).replaceChildren(...parts.filter(Boolean).flatMap((part, index) => [index ? " · " : "", h("span", {}, part)]));
const size = ({ width, height }) => (width ? `${whole(width)} × ${whole(height)}` : "");

/**
 * `original` is the report of the service: null if there is none, undefined until it is fetched. `from` are the bytes
 * that a file had before this browser reduced it.
 */
export function showOriginal(original, from = 0) {
  if (original) figure("fact-original", size(original), `${bytes(original.bytes)} · ${nameOf(original.format)}`, from && t("files.original", { bytes: bytes(from) }));
  else $("fact-original").textContent = original === null ? t("figures.unknown") : NONE;
}

/** `result` is {bytes, type, width, height}, or null if there is none. */
export function showResult(result, original) {
  const saving = result?.width && original ? Math.round((1 - result.bytes / original.bytes) * 100) : null;
  $("saving").hidden = saving === null;
  if (!result) {
    $("fact-result").textContent = $("fact-time").textContent = NONE;
    return outdate(false);
  }
  figure("fact-result", size(result), `${bytes(result.bytes)} · ${format(result.type)}`);
  $("saving").textContent = change(-saving / 100);
  $("saving").dataset.sign = Math.sign(saving ?? 0);
  $("announcement").textContent = t("figures.announced", { size: [size(result), bytes(result.bytes)].filter(Boolean).join(" · "), format: format(result.type) });
}

/** Marks the figures as those of the result before, while a new one is fetched or after it was cancelled. */
export function outdate(is) {
  const isShown = $("fact-result").textContent !== NONE;
  $("fact-result").previousElementSibling.dataset.previous = t("figures.previous");
  $("facts").classList.toggle("old", is && isShown);
}

export function showTime(milliseconds, answer) {
  $("fact-time").textContent = `${duration(milliseconds)} · ${origin(answer)}`;
}

/** Returns where the answer came from: a cache or the service. */
function origin(answer) {
  const cdn = answer.headers.get("x-cache") ?? "";
  // Check this first: the browser cache keeps the headers of the CDN with the image.
  const [timing] = performance.getEntriesByName(answer.url).slice(-1);
  if (timing && timing.transferSize === 0) return t("figures.browser-cache");
  if (/hit/i.test(cdn)) return t("figures.cdn-hit");
  return t(/miss/i.test(cdn) ? "figures.cdn-miss" : "figures.miss");
}
