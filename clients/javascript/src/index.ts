/**
 * Builds URLs of a serverless image handler.
 *
 *     import { imageUrl, srcset } from "image-handler-client";
 *     imageUrl("photos/cat.jpg", { width: 300, format: "webp", watermark: { key: "logo.png", width: 25 } });
 *
 * Every client library writes the same URL for the same options, so that caches hold one copy of it.
 */
import { canonical } from "./canonical.js";
import type { ImageOptions } from "./parameters.js";

export type * from "./parameters.js";

/** A key of this form may be read as a path of another URL language, unless it stands behind `/_key/`. */
const AMBIGUOUS = /^(?:[_/]|(?:unsafe|insecure|meta|fit-in)\/|[0-9]+x[0-9]+\/|[A-Za-z0-9_=+-]{20,}\/|e[wy][A-Za-z0-9+/=_-]*$|[^:]*:)/;

/**
 * Return the URL of an image.
 *
 * `key` is the name of the object, not encoded. `base` is the origin, such as `https://images.example.com`.
 * Throws a TypeError for an empty key and for a value that a parameter cannot have.
 */
export function imageUrl(key: string, options: ImageOptions = {}, base = ""): string {
  const name = key.startsWith("/") ? key.slice(1) : key;
  if (!name) throw new TypeError("key must be the name of an object, got an empty text");
  const path = (AMBIGUOUS.test(name) ? "/_key/" : "/") + name;
  return base.replace(/\/+$/, "") + canonical(path, flatten(options));
}

/** Return the value of a `srcset` attribute: the image in each of the widths, in pixels. */
export function srcset(key: string, widths: readonly number[], options: ImageOptions = {}, base = ""): string {
  return [...new Set(widths)]
    .sort((a, b) => a - b)
    .map((width) => `${imageUrl(key, { ...options, width }, base)} ${width}w`)
    .join(", ");
}

/** One `<source>` of a `<picture>`. */
export interface Source {
  type: string;
  srcset: string;
}

export interface Picture {
  /** In the order in which a browser tries them. */
  sources: Source[];
  /** The `<img>`, for a browser that takes none of the sources. */
  img: { src: string; srcset: string };
}

export interface PictureOptions extends ImageOptions {
  /** The widths of `srcset`, in pixels. */
  widths: readonly number[];
  /** Formats of the sources, best first. */
  formats?: readonly ("avif" | "webp")[];
}

/** Return the attributes of a `<picture>` with AVIF, WebP and the original's format. */
export function picture(key: string, options: PictureOptions, base = ""): Picture {
  const { widths, formats = ["avif", "webp"], ...edits } = options;
  if (!widths.length) throw new TypeError("widths must hold at least one width in pixels, got none");
  const sources = formats.map((format) => ({
    type: `image/${format}`,
    srcset: srcset(key, widths, { ...edits, format }, base),
  }));
  const src = imageUrl(key, { ...edits, width: Math.max(...widths) }, base);
  return { sources, img: { src, srcset: srcset(key, widths, edits, base) } };
}

function* flatten(options: object, prefix = ""): Iterable<[string, string]> {
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined) continue;
    if (name === "steps" && !prefix && typeof value !== "string") {
      yield [name, JSON.stringify(value)];
    } else if (Array.isArray(value) && !prefix && typeof value[0] === "object") {
      for (const [number, element] of value.entries()) yield* flatten(element, `${name}.${number}.`);
    } else if (typeof value === "object" && !Array.isArray(value)) {
      if (prefix) throw new TypeError(`${prefix}${name} must be text, a number, a boolean or a list, got an object`);
      yield* flatten(value, `${name}.`);
    } else {
      yield [prefix + name, write(prefix + name, value)];
    }
  }
}

function write(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => write(name, item)).join(",");
  if (typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return String(value);
  throw new TypeError(`${name} must be text, a finite number, a boolean, a list or an object, got ${String(value)}`);
}
