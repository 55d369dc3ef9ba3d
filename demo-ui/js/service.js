/** Requests to the service: images, reports, lists, signatures. The token is sent to this origin only. */

import { h } from "./dom.js";
import { language } from "./locale.js";
import { optional, t } from "./messages.js";

const ACCEPT = "image/avif,image/webp,image/*,application/json;q=0.9";
const NO_SIGNATURE = "AuthorizationQueryParametersError";
const KEPT = "operator-token";

/** An error with the message of the service. */
export class Refusal extends Error {
  constructor(status, code, message, { isOfService = false } = {}) {
    super(message);
    this.isOfService = isOfService; // and therefore in English
    this.status = status;
    this.code = code;
  }
}

/** Returns what an error of the service is, by its code and in the visitor's language; "" if the page does not know the code. */
export const sentence = ({ code }) => (code ? optional(`error.${code}`, "") : "");

export const title = (error) => sentence(error) || optional(`refusal.${error.status}`, t(error.status < 500 ? "refusal.client" : "refusal.server"));

/** Returns an error as one text in the visitor's language, as far as the page knows it. */
export const brief = (error) => (language !== "en" && sentence(error)) || error.message;

/** Returns the nodes of an error where it has no title: in another language than English its sentence comes first. */
export function described(error) {
  if (!error.isOfService) return [error.message];
  const first = language !== "en" && sentence(error);
  return [...(first ? [first, " "] : []), h("span", { lang: "en" }, error.message)];
}

export class Service {
  /** `askToken(why)` returns the operator token, or "" if the visitor has none. */
  constructor(askToken) {
    this.askToken = askToken;
    this.signs = false; // whether this stack requires signed URLs
    this.asking = null;
    this.refused = false; // the visitor has no token: do not ask again by itself
  }

  get token() {
    return sessionStorage.getItem(KEPT) ?? "";
  }

  set token(value) {
    if (value) sessionStorage.setItem(KEPT, value);
    else sessionStorage.removeItem(KEPT);
    this.refused = false;
  }

  /** Fetches an image, with a signature if the stack requires one. With `quiet` the token is not asked for. */
  async picture(address, { signal, past = false, quiet = false } = {}) {
    const wanted = { signal, headers: { Accept: ACCEPT }, cache: past ? "reload" : "default" };
    const ask = async () => this.send(this.signs ? await this.signed(address, "1h", signal, quiet) : address, wanted);
    const isSigned = this.signs; // another image may learn meanwhile that signatures are required
    try {
      return await ask();
    } catch (error) {
      if (error.code !== NO_SIGNATURE || isSigned) throw error;
      this.signs = true;
      return ask();
    }
  }

  /** Transforms a file that is not stored anywhere. */
  async transform(file, query, signal) {
    const options = { method: "POST", body: file, headers: { Accept: ACCEPT, "Content-Type": file.type || "application/octet-stream" } };
    return this.operated(`/_api/transform${query}`, { ...options, signal }, t("token.why-files"));
  }

  /** Fetches one page of the images of a source: {buckets, bucket, prefix, images, prefixes, cursor}. */
  async images({ bucket, prefix, cursor }, signal) {
    const query = new URLSearchParams({ limit: "60" });
    for (const [name, value] of Object.entries({ bucket, prefix, cursor })) if (value) query.set(name, value);
    const answer = await this.operated(`/_api/images?${query}`, { signal }, "");
    return answer.json();
  }

  async signed(url, expires, signal, quiet = false) {
    const body = JSON.stringify(expires ? { url, expires } : { url });
    const why = quiet ? "" : t("token.why-signing");
    const answer = await this.operated("/_api/sign", { method: "POST", body, signal, headers: { "Content-Type": "application/json" } }, why);
    return (await answer.json()).url;
  }

  /** Translates a URL into another language: {url, unsaid}. */
  async translated(url, to, signal) {
    return (await this.send(`/_api/translate?${new URLSearchParams({ url, to })}`, { signal })).json();
  }

  /** Tells how the service reads a URL: {dialect, key, steps, output}. */
  async explained(url) {
    return (await this.send(`/_api/explain?${new URLSearchParams({ url })}`, {})).json();
  }

  /** Sends a request with the token. Asks for it until it is valid or the visitor has none; an empty `why` never asks. */
  async operated(address, options, why) {
    for (;;) {
      const used = this.token;
      const headers = { ...options.headers, ...(used ? { Authorization: `Bearer ${used}` } : {}) };
      try {
        return await this.send(address, { ...options, headers });
      } catch (error) {
        if (error.status !== 401 || !why || this.refused) throw error;
      }
      // Several requests may be refused at once: show one dialog for all of them.
      if (used !== this.token) continue;
      this.token = "";
      this.asking ??= this.askToken(used ? `${t("token.wrong")} ${why}` : why).finally(() => (this.asking = null));
      const given = await this.asking;
      if (given) {
        this.token = given;
        continue;
      }
      this.refused = true;
      throw new Refusal(401, "Unauthorized", t("token.without", { why }));
    }
  }

  async send(address, options) {
    let answer;
    try {
      answer = await fetch(address, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal(0, "Unreachable", t("refusal.unreachable"));
    }
    if (answer.ok) return answer;
    const fault = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, fault.code ?? "", fault.message ?? t("refusal.no-message", { status: answer.status }), { isOfService: "message" in fault });
  }
}
