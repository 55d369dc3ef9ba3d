/** The selection of the page's language. */

import { $, h } from "./dom.js";
import { chooseLanguage, language, languages } from "./locale.js";

const nameOf = (name) => new Intl.DisplayNames(name, { type: "language" }).of(name);

export function offerLanguages() {
  // A header has room for codes alone.
  const text = (name) => ($("language").closest("header") ? name.toUpperCase() : nameOf(name));
  const options = languages.map((name) => h("option", { value: name, lang: name, title: nameOf(name), "aria-label": nameOf(name), selected: name === language }, text(name)));
  $("language").replaceChildren(...options);
  $("language").addEventListener("change", () => chooseLanguage($("language").value));
}
