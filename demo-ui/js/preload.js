/** Begins to load the texts in the visitor's language while the other modules are still on their way. */

import { featuresFile, language } from "./locale.js";

for (const name of [featuresFile, `messages/${language}.json`]) {
  const link = Object.assign(document.createElement("link"), { rel: "preload", as: "fetch", crossOrigin: "anonymous" });
  link.href = new URL(`../${name}`, import.meta.url);
  document.head.append(link);
}
