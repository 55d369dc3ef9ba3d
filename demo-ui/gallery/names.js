/** Names of files. */

const EXTENSIONS = { "image/jpeg": "jpg", "image/svg+xml": "svg", "image/x-icon": "ico", "image/vnd.microsoft.icon": "ico" };
const FORBIDDEN = /[\\/:*?"<>|\x00-\x1f]/g; // in the names of files of some system

const HIDDEN = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu; // what the service takes in no name
const MOST = 200; // letters
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i; // names of Windows that no file can have

/** Returns a name without its extension, as every system accepts it. */
export const stemOf = (name) => name.replace(/\.\w{1,5}$/, "").replaceAll(FORBIDDEN, "_").trim().replace(DEVICES, "_$1") || "picture";

/** Returns the name that a visitor or a file gives as the service takes it; "" if nothing of it is left. */
export const clean = (name) => [...name.replace(HIDDEN, "")].slice(0, MOST).join("").trim();

/** Returns the extension of a media type, with its dot; "" if there is none. */
export function extensionOf(type) {
  const plain = type.split(";")[0].trim();
  const extension = EXTENSIONS[plain] ?? plain.split("/")[1] ?? "";
  return extension ? `.${extension}` : "";
}

/** Numbers the names that occur more than once, also in other letters: some systems do not tell `A` from `a`. */
export function unique(entries) {
  const taken = new Set();
  return entries.map((entry) => {
    let { name } = entry;
    for (let number = 2; taken.has(name.toLowerCase()); number += 1) name = `${entry.name} (${number})`;
    taken.add(name.toLowerCase());
    return { ...entry, name };
  });
}
