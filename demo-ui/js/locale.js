/** The choice of the pages' language. */

const KEPT = "language";

/** The languages that there are files for; the server lists them in the page. */
export const languages = document.querySelector('meta[name="languages"]').content.split(" ");

const preferred = [localStorage.getItem(KEPT) ?? "", ...navigator.languages].map((each) => each.split("-")[0]);

/** The visitor's choice, or the first language of the browser that there is a file for. */
export const language = preferred.find((each) => languages.includes(each)) ?? "en";

/** The name of the file with the features and their texts in the visitor's language. */
export const featuresFile = language === "en" ? "features.json" : `features.${language}.json`;

export function chooseLanguage(name) {
  localStorage.setItem(KEPT, name);
  location.reload();
}
