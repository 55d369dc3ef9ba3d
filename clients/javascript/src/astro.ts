/**
 * An image service for Astro, which leaves the work to the deployment:
 *
 *     // astro.config.mjs
 *     image: { service: { entrypoint: "image-handler-client/astro", config: { baseUrl: "https://images.example.com" } } }
 *
 * An image of the project (`import cat from "./cat.jpg"`) has to be in a bucket of the service under the same path.
 */
import { imageUrl, type ImageOptions } from "./index.js";
import { commonOptions, keyOf, type CommonModifiers } from "./modifiers.js";

export interface AstroTransform extends CommonModifiers {
  src: string | { src: string; width: number; height: number };
  widths?: readonly number[];
  densities?: readonly (number | string)[];
  [attribute: string]: unknown;
}
export interface AstroConfig {
  service?: { config?: { baseUrl?: string; options?: ImageOptions } };
}
export interface AstroSource {
  transform: AstroTransform;
  descriptor: string;
}

const NO_ATTRIBUTES = new Set(["src", "width", "height", "quality", "format", "fit", "widths", "densities", "position"]);

/** Return the URL of an image in one size. */
export function getURL(transform: AstroTransform, config: AstroConfig = {}): string {
  const { baseUrl = "", options = {} } = config.service?.config ?? {};
  const { width, height, quality, format, fit } = transform;
  const key = typeof transform.src === "string" ? transform.src : transform.src.src;
  return imageUrl(keyOf(key, baseUrl), { ...options, ...commonOptions({ width, height, quality, format, fit }) }, baseUrl);
}

/** Return the further sizes that `widths` or `densities` ask for. */
export function getSrcSet(transform: AstroTransform): AstroSource[] {
  const { widths = [], densities = [], ...rest } = transform;
  const width = Number(rest.width ?? (typeof rest.src === "string" ? 0 : rest.src.width));
  const byDensity = densities.map((density) => [Math.round(width * parseFloat(String(density))), `${parseFloat(String(density))}x`] as const);
  const sizes = widths.length ? widths.map((each) => [each, `${each}w`] as const) : byDensity;
  return sizes.map(([size, descriptor]) => {
    const height = rest.height && width ? { height: Math.round((Number(rest.height) * size) / width) } : {};
    return { transform: { ...rest, ...height, width: size }, descriptor };
  });
}

/** Return the attributes of the `<img>` that are not options of the image. */
export function getHTMLAttributes(transform: AstroTransform): Record<string, unknown> {
  const own = Object.entries(transform).filter(([name]) => !NO_ATTRIBUTES.has(name));
  const size = { width: transform.width, height: transform.height };
  return { loading: "lazy", decoding: "async", ...size, ...Object.fromEntries(own) };
}

export default { getURL, getSrcSet, getHTMLAttributes, propertiesToHash: ["src", "width", "height", "format", "quality", "fit"] };
