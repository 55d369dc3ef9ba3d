/**
 * A provider for `@nuxt/image`:
 *
 *     // nuxt.config.ts
 *     image: { providers: { handler: { provider: "image-handler-client/nuxt", options: { baseURL: "https://images.example.com" } } } }
 */
import { imageUrl } from "./index.js";
import { commonOptions, keyOf, type Modifiers } from "./modifiers.js";

export interface NuxtOptions {
  baseURL?: string;
  modifiers?: Modifiers;
}

/** Return the URL of an image with Nuxt's modifiers. */
export function getImage(src: string, { modifiers = {}, baseURL = "" }: NuxtOptions = {}): { url: string } {
  return { url: imageUrl(keyOf(src, baseURL), commonOptions(modifiers), baseURL) };
}

/** What a provider of @nuxt/image 2 exports by default. */
export default (): { getImage: typeof getImage } => ({ getImage });
