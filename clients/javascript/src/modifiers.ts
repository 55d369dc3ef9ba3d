/** Words that Nuxt, Astro and unpic share for what this service names otherwise. */
import type { ImageOptions } from "./parameters.js";

/**
 * Return the key of an image that a framework passes on as a key, or as a URL of the deployment without edits.
 *
 * Throws a TypeError for a URL of another site, which the service would look for under its own keys.
 */
export function keyOf(src: string, base: string): string {
  const origin = base.replace(/\/+$/, "");
  if (origin && src.startsWith(origin + "/")) {
    return decodeURIComponent(src.slice(origin.length + 1).replace(/[?#].*$/s, "")).replace(/^_key\//, "");
  }
  if (/^(?:https?:)?\/\//i.test(src)) throw new TypeError(`src must be a key, or a URL that begins with ${origin || "base"}/, got ${src}`);
  return src;
}

export interface CommonModifiers {
  width?: number | string | undefined;
  height?: number | string | undefined;
  quality?: number | string | undefined;
  format?: string | undefined;
  fit?: string | undefined;
}

/** Options of this service with the words that those frameworks use. */
export type Modifiers = CommonModifiers & Omit<ImageOptions, keyof CommonModifiers>;

const FITS: Readonly<Record<string, NonNullable<ImageOptions["fit"]>>> = {
  cover: "cover",
  contain: "contain",
  fill: "fill",
  inside: "inside",
  outside: "outside",
  "scale-down": "inside",
};
const QUALITIES: Readonly<Record<string, number>> = { low: 40, mid: 60, high: 80, max: 100 };

/** Return the options with these words translated; others are passed on. Throws a TypeError for a fit that has no meaning here. */
export function commonOptions(modifiers: Modifiers): ImageOptions {
  const { width, height, quality, format, fit, ...others } = modifiers;
  const options: Record<string, unknown> = { ...others };
  if (width) options["width"] = Math.round(Number(width));
  if (height) options["height"] = Math.round(Number(height));
  if (quality) options["quality"] = QUALITIES[quality] ?? Number(quality);
  if (format) options["format"] = format === "jpg" ? "jpeg" : format;
  if (fit && fit !== "none") {
    if (!FITS[fit]) throw new TypeError(`fit must be one of ${Object.keys(FITS).join(", ")}, got ${fit}`);
    options["fit"] = FITS[fit];
  }
  return options as ImageOptions;
}
