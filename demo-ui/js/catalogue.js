/** The features that the service describes, with their texts in the visitor's language: one file for each language. */

import { featuresFile, language } from "./locale.js";

const load = (name) => fetch(new URL(`../${name}`, import.meta.url));
const found = await load(featuresFile);
const isTranslated = found.ok && language !== "en";

export const catalogue = await (found.ok ? found : await load("features.json")).json();

/** What the search may be asked for → what it finds. */
export const synonyms = Object.fromEntries(catalogue.synonyms ?? []);

const labels = new Map(catalogue.labels);
const untranslated = new Set(catalogue.untranslated);

/** Whether the features behind it get another image: neither reports do that, nor checks that refuse it. */
export const changesPixels = ({ group, billed }) => group !== "report" && !(billed && group === "effect");

/** Whether a request may apply a feature several times, in the order of a list. */
export const repeats = ({ group }) => group === "overlay";

/** Returns the attributes of an element with a text of the catalogue: its language, if that is not the page's. */
export const inItsLanguage = (text) => (language === "en" || (isTranslated && !untranslated.has(text)) ? {} : { lang: "en" });

/** Returns the English label of a name: smartCropping → Smart cropping; u2net_human_seg stays. */
export const englishLabel = (name) => {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, (_, before, after) => `${before} ${after.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

/** Returns the label of a name in the visitor's language, or in English if there is no translation. */
export const label = (name) => labels.get(name) ?? englishLabel(name);
