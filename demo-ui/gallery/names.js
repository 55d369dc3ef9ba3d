/** Names of files. */

const EXTENSIONS = { "image/jpeg": "jpg", "image/svg+xml": "svg", "image/x-icon": "ico", "image/vnd.microsoft.icon": "ico" };
const FORBIDDEN = /[\\/:*?"<>|\x00-\x1f]/g; // in the names of files of some system

/** Returns a name without its extension, as every system accepts it. */
export const stemOf = (name) => name.replace(/\.\w{1,5}$/, "").replaceAll(FORBIDDEN, "_").trim() || "picture";

/** Returns the extension of a media type, with its dot; "" if there is none. */
export function extensionOf(type) {
  const plain = type.split(";")[0].trim();
  const extension = EXTENSIONS[plain] ?? plain.split("/")[1] ?? "";
  return extension ? `.${extension}` : "";
}

/** Numbers the names that occur more than once. */
export function unique(entries) {
  const seen = new Map();
  return entries.map((entry) => {
    const count = (seen.get(entry.name) ?? 0) + 1;
    seen.set(entry.name, count);
    return count > 1 ? { ...entry, name: `${entry.name} (${count})` } : entry;
  });
}
