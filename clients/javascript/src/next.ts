/**
 * A loader for `next/image`:
 *
 *     // image-loader.js, which next.config.js names in images.loaderFile
 *     "use client";
 *     import { nextLoader } from "image-handler-client/next";
 *     export default nextLoader("https://images.example.com");
 */
import { imageUrl, type ImageOptions } from "./index.js";
import { keyOf } from "./modifiers.js";

export interface NextLoaderProps {
  src: string;
  width: number;
  quality?: number | undefined;
}

/** Return a loader for one deployment; `options` apply to every image. */
export function nextLoader(base: string, options: ImageOptions = { format: "auto" }): (props: NextLoaderProps) => string {
  return ({ src, width, quality }) => imageUrl(keyOf(src, base), { ...options, ...(quality ? { quality } : {}), width }, base);
}
