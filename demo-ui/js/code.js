/** The request in every form that can be copied. */

import { $, h, icon } from "./dom.js";
import { highlighted } from "./highlight.js";
import { t } from "./messages.js";
import { described } from "./service.js";
import { FRAMEWORKS, SNIPPETS } from "./snippets.js";
import { putSteps, stepsOf } from "./steps.js";

const FORMS = [["img", "<img>"], ["picture", "<picture>"], ["curl", "curl"], ["event", t("code.event")]];
const FRAMEWORK_NAMES = FRAMEWORKS.map(([name]) => name);
const WIDTHS = [320, 640, 960, 1280, 1920];
const SHARES = [0.5, 1, 1.5, 2];
const html = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export class Code {
  /** `languages` are [{name, title, example}]: one with an example has a tab if the operator has switched it on. */
  constructor(service, language, languages, responsive) {
    this.responsive = responsive;
    this.service = service;
    this.language = language;
    this.tab = "url";
    this.signed = false;
    this.shown = null;
    this.address = ""; // of the request that is shown; the request itself changes
    this.run = new AbortController();
    this.languages = languages;
    this.tabs = [["url", "URL"], ...languages.filter(({ example }) => !example).map(({ name, title }) => [name, title]), ...FORMS];
    $("tabs").replaceChildren(...this.tabs.map(([name, text]) => this.button(name, text)));
    $("frameworks").replaceChildren(h("option", { value: "" }, t("code.more")), ...FRAMEWORKS.map(([value, text]) => h("option", { value }, text)));
    $("frameworks").addEventListener("change", ({ target }) => this.choose(target.value || "url"));
    $("tabs").addEventListener("keydown", (event) => this.key(event));
    $("copy").addEventListener("click", () => this.copy());
    $("sign").addEventListener("click", () => this.sign());
    $("expires").addEventListener("change", () => this.signed && this.draw());
  }

  button(name, text) {
    return h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "snippet", "aria-selected": String(name === this.tab), tabindex: name === this.tab ? 0 : -1, onclick: () => this.choose(name) }, text);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const { tabs } = this;
    const at = Math.max(0, tabs.findIndex(([name]) => name === this.tab));
    this.choose(tabs[(at + step + tabs.length) % tabs.length][0]);
    $(`tab-${this.tab}`).focus();
  }

  choose(name) {
    this.tab = name;
    for (const [each] of this.tabs) {
      $(`tab-${each}`).setAttribute("aria-selected", String(each === name));
      $(`tab-${each}`).tabIndex = each === name ? 0 : -1;
    }
    const isTab = !FRAMEWORK_NAMES.includes(name);
    $("frameworks").value = isTab ? "" : name;
    $("frameworks").classList.toggle("chosen", !isTab);
    if (!isTab) $("tab-url").tabIndex = 0;
    $("snippet").setAttribute("aria-labelledby", isTab ? `tab-${name}` : "frameworks");
    this.draw();
  }

  /** `about` is {imageRequest, file, width, height (of the result), original, extension}. */
  update(about) {
    const address = this.language.write(about.imageRequest);
    if (address !== this.address) this.signed = false;
    this.address = address;
    this.shown = about;
    this.draw();
    this.found ??= this.find();
  }

  /** Adds a tab for each language that the operator has switched on: elsewhere its example is a key. */
  async find() {
    for (const { name, title, example } of this.languages.filter((each) => each.example)) {
      const { dialect } = await this.service.explained(example).catch(() => ({}));
      if (dialect !== name) continue;
      const at = this.tabs.length - FORMS.length;
      $(`tab-${this.tabs[at][0]}`).before(this.button(name, title));
      this.tabs.splice(at, 0, [name, title]);
    }
  }

  async sign() {
    this.service.refused = false; // the visitor asks for it
    this.signed = true;
    await this.draw();
  }

  async draw() {
    if (!this.shown) return;
    this.run.abort();
    const { signal } = (this.run = new AbortController());
    const { file } = this.shown;
    // If images need no signature, there is nothing to sign.
    if (this.tab === "picture" && this.shown.width && !file) this.responsive.show(this.widths().map((width) => [width, this.language.write(this.sized(width, "webp"))]));
    else this.responsive.hide();
    $("sign-group").hidden = Boolean(file) || this.tab === "event" || !this.service.signs;
    this.note(file ? t("code.no-url") : "");
    try {
      const text = await this.written(signal);
      if (signal.aborted) return;
      this.text(text);
      $("open").hidden = this.tab !== "url" || Boolean(file);
      if (this.tab === "url") $("open").href = text;
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      this.signed = false;
      this.text("");
      $("open").hidden = true;
      this.note(...described(error));
    }
  }

  written(signal) {
    const { imageRequest } = this.shown;
    const forms = { url: () => this.absolute(imageRequest, signal), img: () => this.img(signal), picture: () => this.picture(signal),
      curl: () => this.curl(signal), event: () => this.event() };
    if (FRAMEWORK_NAMES.includes(this.tab)) return this.framework(signal);
    return (forms[this.tab] ?? (() => this.other(this.tab, signal)))();
  }

  async absolute(imageRequest, signal) {
    return this.finished(this.language.write(imageRequest), signal);
  }

  async finished(address, signal) {
    return location.origin + (this.signed ? await this.service.signed(address, $("expires").value, signal) : address);
  }

  async other(language, signal) {
    const { url, unsaid } = await this.service.translated(this.language.write(this.shown.imageRequest), language, signal);
    if (!signal.aborted && unsaid?.length) this.note(t("code.unsupported", { names: unsaid.join(", ") }));
    return this.finished(url, signal);
  }

  async img(signal) {
    const { imageRequest, width, height } = this.shown;
    const size = width ? ` width="${width}" height="${height}"` : "";
    return `<img src="${html(await this.absolute(imageRequest, signal))}"${size} loading="lazy" alt="">`;
  }

  async picture(signal) {
    const { imageRequest, width, height } = this.shown;
    // A result may be narrower than requested: the descriptor is the real width.
    const factor = width && this.asked() ? width / this.asked() : 1;
    const set = async (format) => {
      const entries = this.widths().map(async (each) => `${await this.absolute(this.sized(each, format), signal)} ${Math.round(each * factor)}w`);
      return html((await Promise.all(entries)).join(",\n            "));
    };
    const sources = [];
    for (const format of ["avif", "webp"]) {
      sources.push(`  <source type="image/${format}" sizes="${this.sizes()}"\n    srcset="${await set(format)}">\n`);
    }
    const fallback = structuredClone(imageRequest);
    if (["auto", "avif", "webp"].includes(fallback.output.format)) delete fallback.output.format;
    const size = width ? ` width="${width}" height="${height}"` : "";
    return `<picture>\n${sources.join("")}  <img src="${html(await this.absolute(fallback, signal))}"${size} loading="lazy" alt="">\n</picture>`;
  }

  async framework(signal) {
    const { imageRequest, width, height, extension } = this.shown;
    const url = await this.absolute(imageRequest, signal);
    const factor = width && this.asked() ? width / this.asked() : 1;
    const format = imageRequest.output.format;
    const srcset = width ? await Promise.all(this.widths().map(async (each) => [await this.absolute(this.sized(each, format), signal), Math.round(each * factor)])) : [];
    const formats = this.tab === "css" ? await Promise.all(["avif", "webp", "jpeg"].map(async (each) => [await this.absolute(this.formatted(each), signal), each])) : [];
    return SNIPPETS[this.tab]({ url, formats, isOrdered: Boolean(stepsOf(imageRequest)?.length), base: location.origin, path: this.language.write(imageRequest), size: width ? [width, height] : null, srcset,
      sizes: this.sizes(), name: `${imageRequest.key.split("/").pop().replace(/\.\w+$/, "") || "image"}.${extension}` });
  }

  /** Returns the requested width; if only a height is requested, the width of the result. Steps may change any width. */
  asked() {
    const { imageRequest, width } = this.shown;
    if (stepsOf(imageRequest)?.length) return undefined;
    const { resize } = imageRequest.edits;
    return resize?.width || (resize?.height && width);
  }

  /** Returns how wide the image is in the page, as `sizes` says it. */
  sizes() {
    const { resize } = this.shown.imageRequest.edits;
    return this.asked() && resize.width ? `${resize.width}px` : "100vw";
  }

  /** Returns the widths of the srcset. */
  widths() {
    const asked = this.asked();
    const { original, width } = this.shown;
    const most = width ?? original?.width ?? 1920;
    if (asked) return SHARES.map((share) => Math.round(asked * share)).filter((each) => each <= Math.max(asked, original?.width ?? asked));
    return [...new Set([...WIDTHS.filter((each) => each < most), Math.min(most, 1920)])];
  }

  sized(width, format) {
    const imageRequest = structuredClone(this.shown.imageRequest);
    if (format) imageRequest.output.format = format;
    const steps = stepsOf(imageRequest);
    if (steps?.length) {
      putSteps(imageRequest, [...steps, { resize: { width } }]); // behind all others
      return imageRequest;
    }
    const resize = (imageRequest.edits.resize ??= {});
    if (resize.height && resize.width) resize.height = Math.round((resize.height * width) / resize.width);
    else delete resize.height;
    resize.width = width;
    return imageRequest;
  }

  formatted(format) {
    const imageRequest = structuredClone(this.shown.imageRequest);
    imageRequest.output.format = format;
    return imageRequest;
  }

  async curl(signal) {
    const { imageRequest, file, extension } = this.shown;
    const name = `${imageRequest.key.split("/").pop().replace(/\.\w+$/, "") || "image"}.${extension}`;
    if (!file) return `curl -o ${quoted(name)} ${quoted(await this.absolute(imageRequest, signal))}`;
    const [, query = ""] = this.language.write(imageRequest).split(/(\?.*)/s);
    const token = this.service.token ? ' \\\n  -H "Authorization: Bearer $TOKEN"' : "";
    return `curl -o ${quoted(name)} --data-binary @${quoted(file.name)} -H 'Content-Type: ${file.type || "application/octet-stream"}'${token} \\\n  ${quoted(`${location.origin}/_api/transform${query}`)}`;
  }

  event() {
    const { imageRequest } = this.shown;
    const steps = stepsOf(imageRequest);
    const pairs = this.language.pairs(imageRequest).map(([name, value]) => [name, name === "steps" && steps ? steps : value === "true" ? true : value]);
    return JSON.stringify({ imageKey: imageRequest.key, ...Object.fromEntries(pairs) }, null, 2);
  }

  text(text) {
    $("code").replaceChildren(...highlighted(text, this.tab));
    $("copy").disabled = !text;
  }

  note(...parts) {
    $("code-note").replaceChildren(...parts.filter(Boolean)); // an empty note takes no room
  }

  async copy() {
    const text = $("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without permission to write to the clipboard (plain http, not localhost), use the old way.
      getSelection().selectAllChildren($("code"));
      document.execCommand("copy");
    }
    const button = $("copy");
    button.replaceChildren(icon("check"), h("span", {}, t("copied")));
    setTimeout(() => button.replaceChildren(icon("copy"), h("span", {}, t("copy"))), 1500);
  }
}
