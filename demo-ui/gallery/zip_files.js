/** The files of an archive, for the page and for its service worker. */

import { extensionOf } from "./names.js";
import { downloadZip } from "./vendor/client-zip/index.js";

/** Returns the answer with an archive of `entries` ({name, url}), which are fetched one after the other. */
export const archive = (entries, tell) => downloadZip(files(entries, tell));

/** Leaves out a file that fails. `tell({done, failed})` hears of each file; `failed` is the name. */
async function* files(entries, tell) {
  let done = 0;
  for (const { name, url } of entries) {
    const answer = await fetch(url).catch(() => null);
    // The type, and with it the extension, is not known before.
    if (answer?.ok) yield { name: name + extensionOf(answer.headers.get("Content-Type") ?? ""), input: answer };
    done += 1;
    tell({ done, failed: answer?.ok ? null : name });
  }
}
