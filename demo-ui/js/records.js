/** The page of records: what has become of each original, for the operator. */

import "./scheme.js"; // first: the others wait for texts
import { $, h, icon, quietly } from "./dom.js";
import { offerLanguages } from "./language.js";
import { ago, minute, size as bytes, t } from "./messages.js";
import { described, Service, title } from "./service.js";
import { theme } from "./theme.js";
import { askToken } from "./token.js";

const STATUSES = ["uploading", "processing", "ready", "rejected", "failed", "deleted"];
const OPEN = ["uploading", "processing"];
const PAUSE = 3000; // milliseconds between two looks at records that are being processed
const WHY = t("token.why-records");

const service = new Service(askToken);
const rows = new Map(); // of the table, by the ID of the record: {row, text}
const pictures = new Map(); // object URLs of variants, by record and ETag
let cursor = null;
let timer = 0;
let latest = 0; // number of the latest request: answers to earlier ones are ignored

/** Returns the filter in the URL's fragment, which never holds the token. */
const filter = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function remember() {
  const chosen = new URLSearchParams(
    Object.entries({
      status: $("filters").elements.status.value, source: $("source").value, prefix: $("prefix").value.trim(),
    }).filter(([, value]) => value),
  );
  history.replaceState(null, "", chosen.size ? `#${chosen}` : location.pathname);
}

function showFilter() {
  const { status = "", source = "", prefix = "" } = filter();
  const choice = (value, text) =>
    h("label", {}, h("input", { type: "radio", name: "status", value, checked: value === status }), h("span", {}, text));
  $("status").replaceChildren($("status").firstElementChild, choice("", t("records.all")), ...STATUSES.map((each) => choice(each, t(`records.${each}`))));
  $("prefix").value = prefix;
  showSources(source ? [source] : []);
  $("source").value = source;
}

function showSources(names) {
  const known = new Set([...$("source").options].map((option) => option.value));
  $("source").append(...names.filter((name) => !known.has(name)).map((name) => h("option", { value: name }, name)));
}

/** Loads the first page again, or the next one. */
async function load({ next = false } = {}) {
  clearTimeout(timer);
  const number = ++latest;
  const query = new URLSearchParams({ ...filter(), limit: "50" });
  if (next) query.set("cursor", cursor);
  $("table").setAttribute("aria-busy", "true");
  try {
    const answer = await (await service.operated(`/_api/records?${query}`, {}, WHY)).json();
    if (number !== latest) return;
    show(answer, next);
  } catch (error) {
    if (number === latest) fail(error);
  } finally {
    if (number === latest) $("table").setAttribute("aria-busy", "false");
  }
}

function show({ sources, source, records, cursor: following }, next) {
  $("fault").hidden = true;
  showSources(sources);
  // Only the records of one source can be in the order of their keys.
  if (source !== $("source").value) {
    $("source").value = source;
    remember();
  }
  cursor = following;
  $("more").hidden = !following;
  if (!next) {
    const kept = new Set(records.map((record) => record.id));
    for (const id of rows.keys()) if (!kept.has(id)) remove(id);
  }
  for (const record of records) put(record, next);
  $("empty").hidden = rows.size > 0;
  $("note").textContent = t(following ? "records.count-so-far" : "records.count", { count: rows.size });
  // Later pages stay as they are: the first one is loaded again while something in it is under way.
  if (!next && records.some((record) => OPEN.includes(record.status))) timer = setTimeout(load, PAUSE);
}

function fail(error) {
  // Without RECORDS the page of records does not exist; a record that is gone has a code of its own.
  const isOff = error.status === 404 && error.code === "NotFound";
  const text = isOff ? t("records.off-long") : error.message;
  $("fault").replaceChildren(h("strong", {}, isOff ? t("records.off") : title(error)), " ", h("span", { lang: !isOff && error.isOfService ? "en" : null }, text));
  $("fault").hidden = false;
}

function remove(id) {
  rows.get(id).row.remove();
  rows.delete(id);
  for (const [key, url] of pictures) {
    if (!key.startsWith(id)) continue;
    pictures.delete(key);
    url.then(URL.revokeObjectURL, () => null);
  }
}

/** Shows a record in its row; one that has not changed is left alone, with the focus in it. */
function put(record, atEnd = true) {
  const text = JSON.stringify(record);
  const shown = rows.get(record.id);
  if (shown?.text === text) {
    if (!atEnd && !shown.row.contains(document.activeElement)) $("rows").append(shown.row);
    return;
  }
  const row = build(record);
  if (shown) {
    const focused = shown.row.contains(document.activeElement) ? document.activeElement.dataset.deed : null;
    shown.row.replaceWith(row);
    if (focused) row.querySelector(`[data-deed="${focused}"]`)?.focus();
  } else $("rows").append(row);
  rows.set(record.id, { row, text });
}

function build(record) {
  const updated = new Date(record.updatedAt);
  const name = record.name && record.name !== record.key.split("/").at(-1) ? `${record.name} · ` : "";
  return h(
    "tr", {},
    h("th", { scope: "row" }, record.key, h("small", {}, `${name}${record.source}`)),
    h("td", {}, h("span", { class: "badge", "data-status": record.status }, t(`records.${record.status}`)), reason(record)),
    h("td", {}, facts(record.facts)),
    h("td", {}, record.variants.length ? h("div", { class: "variants" }, record.variants.map((each, index) => variant(record, each, index))) : null),
    h("td", {}, h("time", { datetime: record.updatedAt, title: minute(updated) }, ago(updated))),
    h("td", {}, h("div", { class: "deeds" }, deeds(record))),
  );
}

function reason({ error }) {
  if (!error) return null;
  const attempts = error.attempts > 1 ? ` ${t("records.attempts", { count: error.attempts })}` : "";
  return h("p", { class: "reason" }, ...described({ ...error, isOfService: true }), `${attempts} `, h("code", {}, error.code));
}

function facts({ format, width, height, bytes: size, dominantColor }) {
  if (!width) return null;
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  if (/^#[0-9a-f]{6}$/i.test(dominantColor ?? "")) swatch.style.background = dominantColor;
  return [
    h("div", { class: "facts-line" }, swatch, `${width} × ${height}`),
    h("div", { class: "facts-line muted" }, [format?.toUpperCase(), size ? bytes(size) : null].filter(Boolean).join(", ")),
  ];
}

function variant(record, made, index) {
  const frame = h("span", { class: "nothing" });
  const caption = h("figcaption", { title: made.key }, `${made.preset}, ${made.width} × ${made.height}`);
  const figure = h("figure", {}, frame, caption);
  picture(record, made, index).then((url) => frame.replaceWith(h("img", { src: url, alt: t("records.variant", { preset: made.preset, key: record.key }) })), () => null);
  return figure;
}

/** Returns the object URL of a variant, which is fetched with the token. */
function picture(record, made, index) {
  const key = `${record.id} ${made.key} ${made.etag}`;
  if (!pictures.has(key)) {
    const fetched = service.operated(`/_api/records/${record.id}/variants/${index}`, {}, "").then((answer) => answer.blob());
    pictures.set(key, fetched.then((blob) => URL.createObjectURL(blob)));
  }
  return pictures.get(key);
}

function deeds(record) {
  const act = (name, symbol, key, run) =>
    h("button", { type: "button", "data-deed": name, "aria-label": t(`records.${key}-label`, { key: record.key }), title: t(`records.${key}`), onclick: run }, icon(symbol), name === "again" ? t(`records.${key}`) : null);
  const failed = ["failed", "rejected"].includes(record.status);
  const again = act("again", "again", failed ? "retry" : "reprocess", (event) => change(event, record, `/reprocess`, "POST"));
  if (record.status === "deleted") return [again];
  return [again, act("delete", "bin", "delete", async (event) => (await isSure(record)) && change(event, record, "", "DELETE"))];
}

async function change(event, record, page, method) {
  const button = event.currentTarget ?? event.target;
  if (button) button.disabled = true;
  try {
    const answer = await service.operated(`/_api/records/${record.id}${page}`, { method, ...(method === "POST" ? { body: "" } : {}) }, WHY);
    put(await answer.json());
    $("note").textContent = t(method === "POST" ? "records.processed-again" : "records.is-deleted", { key: record.key });
    clearTimeout(timer);
    timer = setTimeout(load, PAUSE / 3);
  } catch (error) {
    fail(error);
    if (button) button.disabled = false;
  }
}

/** Asks before an original is deleted. */
function isSure(record) {
  const count = record.variants.length;
  $("sure-what").textContent = t(count ? "records.sure-variants" : "records.sure-alone", { key: record.key, count });
  $("sure").returnValue = "no";
  $("sure").showModal();
  return new Promise((resolve) => ($("sure").onclose = () => resolve($("sure").returnValue === "yes")));
}

function start() {
  theme();
  offerLanguages();
  showFilter();
  const changed = () => {
    remember();
    load();
  };
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("change", changed);
  $("prefix").addEventListener("input", quietly(300, changed));
  $("refresh").addEventListener("click", () => load());
  $("more").addEventListener("click", () => load({ next: true }));
  addEventListener("hashchange", () => {
    showFilter();
    load();
  });
  load();
}

start();
