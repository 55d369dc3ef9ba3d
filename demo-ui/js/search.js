/** Words of the search, with the words that people use for what the catalogue calls otherwise. */

import { synonyms } from "./catalogue.js";

const SYNONYMS = {
  circle: "ellipse", oval: "ellipse", avatar: "ellipse", transparent: "transparen", cutout: "background", "cut-out": "background", logo: "watermark", sepia: "recomb",
  compress: "quality", smaller: "quality", weight: "bytes", filesize: "bytes", convert: "format", thumbnail: "resize", scale: "resize", shrink: "resize", bw: "grayscale", "b&w": "grayscale",
  monochrome: "grayscale", desaturate: "grayscale", mirror: "flop", caption: "text", title: "text", font: "text", stamp: "watermark", border: "extend", padding: "extend", invert: "negate",
  hdr: "clahe", dpi: "dpr", retina: "dpr", nsfw: "moderation", anonymise: "redact", censor: "redact", face: "faces", exif: "metadata", gps: "metadata", saturation: "modulate", hue: "modulate",
  brightness: "modulate", lighter: "gamma", darker: "gamma", posterize: "quantize", palette: "quantize", radius: "corners", rounded: "corners", ratio: "ratio", animation: "animated", gif: "animated", ...synonyms,
};
const PHRASES = { "black and white": "grayscale", "b & w": "grayscale", "drop shadow": "shadow", "file size": "bytes", "rotate 90": "rotate", "no background": "background" };

/** Reduces British and American spelling to one. */
export const plain = (text) => text.toLowerCase().replaceAll("colour", "color").replaceAll("grey", "gray").replaceAll("centre", "center");

/** Returns the words to look for, each with what else it may be called: [[word, synonym]…]. */
export function words(text) {
  let phrase = plain(text).trim();
  for (const [spoken, word] of Object.entries(PHRASES)) phrase = phrase.replaceAll(spoken, word);
  return phrase.split(/\s+/).filter(Boolean).map((word) => [word, ...(SYNONYMS[word] ? [SYNONYMS[word]] : [])]);
}
