/** The API reference: a filter for its sections, and URLs to change and try. */

import "./docs.js";
import { listenForSlash } from "./docs-search.js";
import { $, h, quietly } from "./dom.js";
import { duration, size } from "./messages.js";
import { plain, words } from "./search.js";

const PAUSE = 120; // milliseconds after a keystroke

const parts = [...document.querySelectorAll(".part")].map((element) => ({ element, text: plain(element.dataset.words), name: plain(element.id) }));
const links = new Map([...$("sidebar").querySelectorAll("a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link.parentElement]));
const note = h("p", { class: "note matches", role: "status" });
document.querySelector("article").prepend(note);

/** Shows the sections that match the words in the field, and their links; all of them for none. */
function filter() {
  const terms = words($("query").value);
  const hits = parts.filter(({ text }) => terms.every((forms) => forms.some((form) => text.includes(form))));
  // What is called by a word, rather than described with it, is enough.
  const named = hits.filter(({ name }) => terms.every((forms) => forms.some((form) => name.includes(form))));
  const shown = new Set((named.length ? named : hits).map(({ element }) => element));
  for (const { element } of parts) {
    element.hidden = !shown.has(element);
    const link = links.get(element.id);
    if (link) link.hidden = element.hidden;
  }
  for (const group of document.querySelectorAll(".group-of-parts")) group.hidden = !group.querySelector(".part:not([hidden])");
  for (const list of $("sidebar").querySelectorAll("ul")) list.previousElementSibling.hidden = list.hidden = !list.querySelector("li:not([hidden])");
  document.documentElement.toggleAttribute("data-filtered", terms.length > 0);
  const count = shown.size === 1 ? "1 section matches" : `${shown.size} sections match`;
  note.textContent = !terms.length ? "" : shown.size ? `${count}.` : "Nothing matches. Try another word.";
  if (terms.length) scrollTo({ top: 0, behavior: "instant" });
}

/** Follows a link to a section that the filter hides. */
function reveal() {
  const target = $(decodeURIComponent(location.hash.slice(1)));
  if (!target?.closest("[hidden]")) return;
  $("query").value = "";
  filter();
  target.scrollIntoView();
}

let source = null;

/** Returns the source of the samples, "" where it is the default one or there are none. */
async function sampleSource() {
  source ??= fetch("/_demo/samples.json").then((answer) => (answer.ok ? answer.json() : { bucket: "" })).then(({ bucket }) => bucket, () => "");
  return source;
}

/** Names the source of the samples in a URL that the visitor has not changed. */
async function nameSource(field) {
  if (field.value !== field.defaultValue || field.dataset.sourced) return;
  field.dataset.sourced = "true";
  const bucket = await sampleSource();
  if (!bucket) return;
  const overlays = [...field.value.matchAll(/[?&](\w+)(?:\.key)?=logo\.png/g)].map(([, feature]) => `&${feature}.bucket=${bucket}`);
  field.value += `&bucket=${bucket}${overlays.join("")}`;
}

/** Requests the URL of a form and shows the answer: an image, a report, or why not. */
async function attempt(form) {
  const field = form.querySelector("textarea");
  const status = form.querySelector(".note");
  const figure = form.parentElement.querySelector("figure");
  await nameSource(field);
  form.setAttribute("aria-busy", "true");
  status.className = "note";
  status.textContent = "Rendering";
  const began = performance.now();
  try {
    const answer = await fetch(new URL(field.value.trim().replaceAll("\n", ""), location.href));
    const content = await answer.blob();
    const facts = `${answer.status} · ${content.type} · ${size(content.size)} · ${duration(performance.now() - began)}`;
    if (content.type.startsWith("image/") && answer.ok) showImage(figure, content);
    else await showText(figure, content, answer.ok, status);
    if (answer.ok) status.textContent = facts;
  } catch {
    status.classList.add("wrong");
    status.textContent = "This address cannot be requested from here. It must be one of this service.";
  } finally {
    form.removeAttribute("aria-busy");
  }
}

function showImage(figure, content) {
  const address = URL.createObjectURL(content);
  const image = figure.querySelector("img") ?? h("img", { alt: "Result" });
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  for (const name of ["width", "height"]) image.removeAttribute(name);
  image.src = address;
  figure.replaceChildren(image);
}

async function showText(figure, content, isGood, status) {
  const text = await content.text();
  if (isGood) {
    figure.replaceChildren(h("pre", { tabindex: "0", role: "group", "aria-label": "Result" }, text));
    return;
  }
  status.classList.add("wrong");
  status.textContent = message(text);
}

function message(text) {
  try {
    return JSON.parse(text).message;
  } catch {
    return "The service refused this URL.";
  }
}

for (const form of document.querySelectorAll(".try")) {
  const field = form.querySelector("textarea");
  form.addEventListener("focusin", () => nameSource(field));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.querySelector(".copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(new URL(field.value.trim(), location.href).href);
    form.querySelector(".note").textContent = "Copied";
  });
}
$("query").addEventListener("input", quietly(PAUSE, filter));
$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  filter();
});
addEventListener("hashchange", reveal);
listenForSlash($("query"));
