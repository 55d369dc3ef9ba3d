/** Searches the headings of the documentation and the code words below them; the index is loaded when it is first needed. */

import { $, h } from "./dom.js";

const MOST = 12; // hits that are shown
const EMPTY_WORDS = new Set("a an and can do does for how i in is it my of on the to what with".split(" "));
const SYNONYMS = { price: "costs", pricing: "costs", bill: "costs", dns: "host", domain: "host", hostname: "host", install: "quick", start: "quick" };

let index = null;

/** Loads the index, and the synonyms of the demo page's search with it. Returns the sections, and what splits a text. */
async function load(address) {
  index ??= Promise.all([
    fetch(address).then((answer) => answer.json()).then(({ pages }) => pages.flatMap(listSections)),
    import("./search.js").then(({ words }) => words),
  ]);
  return index;
}

/** Returns the sections of a page: {page, heading, address, text, codes}. */
function listSections([page, sections, address]) {
  return sections.map(([heading, anchor, codes], place) => ({
    page, heading, codes, address: place ? `${address}#${anchor}` : address, text: `${page} ${heading} ${address.replace(/[-_/.]/g, " ")}`.toLowerCase(), codesText: codes.toLowerCase(), isTitle: place === 0,
  }));
}

/** Returns how well a section matches, 0 for not at all: a heading counts more than its page, and code words least. */
function rate(section, terms) {
  let total = 0;
  for (const forms of terms) {
    const best = Math.max(...forms.map((form, place) => rateWord(section, form) - place));
    if (best <= 0) return 0;
    total += best;
  }
  return total + (section.isTitle ? 3 : 0);
}

function rateWord({ heading, text, codesText }, word) {
  const title = heading.toLowerCase();
  if (title === word) return 12;
  if (title.startsWith(word)) return 9;
  if (title.includes(word)) return 7;
  if (codesText.split(" ").includes(word)) return 6;
  if (text.includes(word)) return 4;
  return codesText.includes(word) ? 3 : 0;
}

/** Returns a text with the words in it marked. */
function marked(text, terms) {
  const found = terms.flat().filter((term) => text.toLowerCase().includes(term));
  if (!found.length) return [text];
  const pattern = new RegExp(`(${found.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "i");
  return text.split(pattern).map((part, place) => (place % 2 ? h("mark", {}, part) : part));
}

/** Returns the words to look for, each with its synonyms, without words that say nothing unless there is no other. */
function listTerms(text, words) {
  const all = words(text).map((forms) => (SYNONYMS[forms[0]] ? [...forms, SYNONYMS[forms[0]]] : forms));
  const telling = all.filter(([word]) => !EMPTY_WORDS.has(word));
  return telling.length ? telling : all;
}

/** Makes the search field of the page work: "/" focuses it, the arrow keys walk through the hits, Escape closes them. */
export function makeSearch(address) {
  const field = $("query");
  const panel = $("found");
  const close = () => (panel.hidden = true);
  const show = async () => {
    const asked = field.value;
    if (!asked.trim()) return close();
    const [sections, words] = await load(address);
    if (asked !== field.value) return;
    const terms = listTerms(asked, words);
    const hits = sections.map((section) => [rate(section, terms), section]).filter(([rank]) => rank > 0);
    hits.sort(([a], [b]) => b - a);
    $("found-note").textContent = hits.length ? `${hits.length} ${hits.length === 1 ? "section" : "sections"}` : "Nothing found. Try another word.";
    $("hits").replaceChildren(
      ...hits.slice(0, MOST).map(([, { page, heading, address: target, isTitle, codes }]) =>
        h("li", {}, h("a", { href: target }, ...marked(heading, terms), h("small", {}, isTitle ? clip(codes) || "Page" : page))),
      ),
    );
    panel.hidden = false;
  };
  field.addEventListener("input", show);
  field.addEventListener("focus", () => {
    load(address);
    if (field.value.trim()) show();
  });
  $("find").addEventListener("submit", (event) => {
    event.preventDefault();
    $("hits").querySelector("a")?.click();
  });
  $("find").addEventListener("keydown", (event) => {
    const stops = [field, ...$("hits").querySelectorAll("a")];
    const here = stops.indexOf(document.activeElement);
    if (event.key === "Escape" && !panel.hidden) {
      close();
      field.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      stops[(here + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#find") || event.target.closest("#hits a")) close();
  });
  listenForSlash(field);
}

/** Focuses a field when "/" is typed anywhere else than in a field. */
export function listenForSlash(field) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    field.focus();
  });
}

const clip = (text) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
