/** The features that the service describes, and their English words in the visitor's language. */

import { language } from "./messages.js";

const load = (path) => fetch(new URL(path, import.meta.url));
const NONE = { words: {}, synonyms: {} };
const translated = language === "en" ? NONE : load(`../messages/features/${language}.json`).then((answer) => (answer.ok ? answer.json() : NONE));

export const catalogue = await (await load("../features.json")).json();

/** English words of the catalogue → the visitor's, and what the search may be asked for → what it finds. */
const { words, synonyms } = await translated;
export { synonyms };

/** Returns a text of the catalogue in the visitor's language, or in English if there is no translation. */
export const word = (english) => words[english] ?? english;

/** Whether the features behind it get another image: neither reports do that, nor checks that refuse it. */
export const changesPixels = ({ group, billed }) => group !== "report" && !(billed && group === "effect");

/** Whether a request may apply a feature several times, in the order of a list. */
export const repeats = ({ group }) => group === "overlay";

/** Returns the attributes of an element with a text of the catalogue: its language, if that is not the page's. */
export const inItsLanguage = (english) => (language === "en" || english in words ? {} : { lang: "en" });

/** Returns the English label of a name: smartCropping → Smart cropping; u2net_human_seg stays. */
export const englishLabel = (name) => {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, (_, before, after) => `${before} ${after.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

export const label = (name) => word(englishLabel(name));
