/** Requests to the gallery's API. Errors are those of js/service.js, with the time after which to try again. */

import { Refusal, sentence } from "../js/service.js";
import { optional, t } from "../js/messages.js";

const BASE = "/_api/gallery";
const OWN = { "X-Gallery": "1" }; // a header that no form of another site can send

const OWN_CODE = /^[a-z_]+$/; // its sentence says all that the service does

/** Returns the error of an answer, or of none, in the visitor's language; `detail` is the service's own message. */
export function refusal(status, body, retryAfter = "") {
  const code = body?.code ?? "";
  const usual = status ? `status.${status < 500 || [501, 503, 504, 507].includes(status) ? status : 500}` : "status.0";
  const error = new Refusal(status, code, sentence({ code }) || optional(usual, body?.message || t("status.400")));
  error.detail = status && !OWN_CODE.test(code) ? (body?.message ?? "") : "";
  error.picture = body?.picture;
  error.retryAfter = Number(retryAfter) || 0;
  return error;
}

/** Returns whether the same request may succeed later: no answer, or one that says so. */
export const isTemporary = ({ status }) => [0, 429, 502, 503, 504].includes(status);

export class Api {
  /** Sends a request, and returns the answer's JSON; null if it has none. */
  async send(method, path, { json, signal, keepalive = false, headers = {} } = {}) {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    let answer;
    try {
      answer = await fetch(BASE + path, { method, body, signal, keepalive, cache: "no-store", headers: { ...OWN, ...type, ...headers } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw refusal(0, null);
    }
    if (answer.status === 304) return { answer, content: null };
    const content = await answer.json().catch(() => null);
    if (!answer.ok) throw refusal(answer.status, content, answer.headers.get("Retry-After"));
    return { answer, content };
  }

  async ask(method, path, options) {
    return (await this.send(method, path, options)).content;
  }

  session = () => this.ask("GET", "/session");
  enter = (proof) => this.ask("POST", "/session", { json: proof });
  device = () => this.ask("POST", "/devices");

  /** Fetches a page of the pictures: {pictures, cursor, used, limit, etag}, or null if it is still that of the ETag. */
  async pictures({ cursor = "", search = "", limit, etag = "" }, signal) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (cursor) query.set("cursor", cursor);
    if (search) query.set("search", search);
    const { answer, content } = await this.send("GET", `/pictures?${query}`, { signal, headers: etag ? { "If-None-Match": etag } : {} });
    return content && { ...content, etag: answer.headers.get("ETag") ?? "" };
  }

  picture = (id) => this.ask("GET", `/pictures/${id}`);
  begin = (about, signal) => this.ask("POST", "/pictures", { json: about, signal });
  rename = (id, name) => this.ask("PATCH", `/pictures/${id}`, { json: { name } });
  retry = (id) => this.ask("POST", `/pictures/${id}/retry`);
  remove = (id, keepalive = false) => this.ask("DELETE", `/pictures/${id}`, { keepalive });
  removeAll = () => this.ask("DELETE", "/pictures");
  apply = (id, imageRequest) => this.ask("POST", `/pictures/${id}/results`, { json: imageRequest });
  removeResult = (id, result, keepalive = false) => this.ask("DELETE", `/pictures/${id}/results/${result}`, { keepalive });
  preview = (id, imageRequest, signal) => this.ask("POST", `/pictures/${id}/preview`, { json: imageRequest, signal });
  share = (id, imageRequest) => this.ask("POST", `/pictures/${id}/share`, { json: imageRequest });

  /** Fetches the bytes of a picture by its signed URL. */
  async bytes(url, signal) {
    let answer;
    try {
      answer = await fetch(url, { signal, headers: { Accept: "image/*" } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw refusal(0, null);
    }
    if (answer.ok) return answer.blob();
    throw refusal(answer.status, await answer.json().catch(() => null), answer.headers.get("Retry-After"));
  }
}

/** Sends a form with progress, which `fetch` cannot tell. Returns {status, content}. */
export function transfer(url, form, { headers = {}, progress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      const content = parse(request.responseText);
      if (request.status < 400) resolve(content);
      else reject(refusal(request.status, content, request.getResponseHeader("Retry-After") ?? ""));
    });
    request.addEventListener("error", () => reject(refusal(0, null)));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** Returns the JSON of an answer; a store answers with XML, or with nothing. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Sends the picture itself to the server, as a form. */
export const upload = (form, options) => transfer(`${BASE}/pictures`, form, { ...options, headers: OWN });
