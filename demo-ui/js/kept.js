/**
 * A picture of the gallery in the editor: `?picture=…` names it, and `&result=…` the result whose edits are fine-tuned.
 *
 * Its file is private, so the editor cannot write a URL of it: the gallery signs one for each request.
 */

import { $ } from "./dom.js";
import { t } from "./messages.js";
import { Refusal } from "./service.js";
import { asJson, putSteps, stepsOf } from "./steps.js";

const API = "/_api/gallery/pictures";
const GALLERY = "/_gallery/";

/** Returns the kept picture that the address of the page names, or null. */
export async function openKept(service, language) {
  const query = new URLSearchParams(location.search);
  const id = query.get("picture");
  if (!id) return null;
  const kept = new Kept(service, language, id);
  await kept.load(query.get("result"));
  return kept;
}

class Kept {
  constructor(service, language, id) {
    Object.assign(this, { service, language, id, about: null, error: null, edits: {} });
    this.signed = new Map(); // the last URL of each request: the same edits are not signed again
  }

  /** Fetches what the gallery knows of the picture; an error is kept, and shown in place of the picture. */
  async load(result) {
    try {
      this.about = await this.ask("GET", "");
      this.edits = this.about.results.find(({ id }) => id === result)?.edits ?? {};
      if (this.about.status !== "ready") throw new Refusal(409, "", t("kept.not-ready"));
    } catch (error) {
      if (!("status" in error)) throw error;
      this.error = error;
    }
  }

  async ask(method, path, json) {
    const headers = { "X-Gallery": "1", ...(json ? { "Content-Type": "application/json" } : {}) };
    const answer = await this.service.send(`${API}/${encodeURIComponent(this.id)}${path}`, { method, headers, body: json && JSON.stringify(json) });
    return answer.json();
  }

  /** Returns the request with which the editor begins. */
  get imageRequest() {
    const imageRequest = { bucket: "", key: this.about.name, edits: {}, output: {}, other: [] };
    for (const [name, value] of Object.entries(this.edits)) {
      if (name === "steps") {
        putSteps(imageRequest, value);
        continue;
      }
      const feature = this.language.named.get(name);
      if (!feature) imageRequest.output[name === "toFormat" ? "format" : name] = value;
      else if (value === null || typeof value !== "object") this.language.switchOn(imageRequest, feature, String(value));
      else imageRequest.edits[feature.name] = structuredClone(value);
    }
    return imageRequest;
  }

  /** Returns the report on the original in the form of the feature `info`. */
  get original() {
    const { bytes, width, height, type } = this.about;
    return { bytes, width, height, format: type.replace(/^image\/|\+.*$/g, "") };
  }

  /** Fetches the picture with the edits of a request. */
  async picture(imageRequest, options) {
    const edits = written(imageRequest);
    const text = JSON.stringify(edits);
    if (!this.signed.has(text)) {
      const isOriginal = text === "{}";
      this.signed.set(text, isOriginal ? this.about.original.url : (await this.ask("POST", "/preview", { edits })).url);
    }
    try {
      return await this.service.picture(this.signed.get(text), options);
    } catch (error) {
      if (error.status === 403) this.signed.delete(text); // it has expired
      throw error;
    }
  }

  /** Prepares the page: what makes URLs is not for a private picture. */
  show(run) {
    document.body.classList.add("kept");
    $("kept").hidden = false;
    $("kept-name").textContent = this.about?.name ?? "";
    $("kept-back").href = `${GALLERY}${this.about ? `#/${this.id}` : ""}`;
    $("kept-save").addEventListener("click", run);
  }

  /** Enables the button that keeps the result, if there is one to keep. */
  tell(imageRequest) {
    $("kept-save").disabled = !Object.keys(written(imageRequest)).length;
  }

  /** Keeps the result in the gallery, and returns there. */
  async save(imageRequest) {
    const { id } = await this.ask("POST", "/results", { edits: written(imageRequest) });
    location.href = `${GALLERY}#/${this.id}/${id}`;
  }
}

/** Returns a request as the edits of the JSON dialect. */
function written({ edits, output, other }) {
  const { format, ...options } = output;
  const on = Object.entries(edits).map(([name, values]) => [name, asJson(name, values)]);
  const steps = stepsOf({ other });
  return { ...Object.fromEntries(other), ...(steps?.length ? { steps } : {}), ...Object.fromEntries(on), ...options, ...(format ? { toFormat: format } : {}) };
}
