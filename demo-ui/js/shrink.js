/** Makes a file small enough to be sent: Lambda accepts an image of about 4.5 MB, a server on this machine far more. */

import { size, t } from "./messages.js";

const TRIES = [0.92, 0.85, 0.75];

/** Returns {file, note, from}: the file itself, or a smaller JPEG or WebP of it with a sentence about it and the bytes before. */
export async function shrunk(file, limit) {
  if (file.size <= limit) return { file, note: "", from: 0 };
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(t("files.unreadable", { name: file.name, bytes: size(file.size), limit: size(limit) }));
  }
  for (let share = Math.min(1, Math.sqrt(24e6 / (picture.width * picture.height))); share > 0.05; share *= 0.75) {
    const smaller = await encoded(picture, share, file, limit);
    if (!smaller) continue;
    const [width, height] = [picture.width, picture.height].map((side) => String(Math.round(side * share)));
    return { file: smaller, from: file.size, note: t("files.reduced", { bytes: size(file.size), width, height, smaller: size(smaller.size), limit: size(limit) }) };
  }
  throw new Error(t("files.too-large", { name: file.name, bytes: size(limit) }));
}

async function encoded(picture, share, { name, type: from }, limit) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * share));
  canvas.height = Math.max(1, Math.round(picture.height * share));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  // WebP keeps transparency; a JPEG has none.
  const type = from === "image/jpeg" ? "image/jpeg" : "image/webp";
  for (const quality of TRIES) {
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, quality));
    if (blob && blob.size <= limit) return new File([blob], name, { type: blob.type });
  }
  return null;
}
