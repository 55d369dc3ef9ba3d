/**
 * A provider in the form of unpic's: `generate`, `extract` and `transform`. With `@unpic/react` and the like:
 *
 *     <Image src="photos/cat.jpg" transformer={transform} options={{ baseUrl: "https://images.example.com" }} … />
 */
import { imageUrl } from "./index.js";
import { commonOptions, type Modifiers } from "./modifiers.js";

export type Operations = Modifiers;
export interface ProviderOptions {
  baseUrl?: string | undefined;
}

/** Return the URL for an image. */
export function generate(src: string | URL, operations: Operations, options: ProviderOptions = {}): string {
  return imageUrl(String(src), commonOptions(operations), options.baseUrl);
}

/** Return key and operations of a URL that `generate` wrote; null for a URL of another site. */
export function extract(
  url: string | URL,
  options: ProviderOptions = {},
): { src: string; operations: Operations; options: ProviderOptions } | null {
  const base = (options.baseUrl ?? "").replace(/\/+$/, "");
  const text = String(url);
  if (!text.startsWith(base + "/")) return null;
  const { pathname, searchParams } = new URL(text.slice(base.length), "http://relative.invalid");
  const src = decodeURIComponent(pathname).replace(/^\/(_key\/)?/, "");
  return { src, operations: Object.fromEntries(searchParams) as Operations, options };
}

/** Return the URL for an image whose key, or whose URL with other operations, is given. */
export function transform(src: string | URL, operations: Operations, options: ProviderOptions = {}): string {
  const known = options.baseUrl ? extract(src, options) : null;
  return known ? generate(known.src, { ...known.operations, ...operations }, options) : generate(src, operations, options);
}
