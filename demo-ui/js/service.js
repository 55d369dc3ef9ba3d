/** What is asked of the service: pictures, reports, lists, signatures. A token goes to this origin alone. */

const ACCEPT = "image/avif,image/webp,image/*,application/json;q=0.9";
const NO_SIGNATURE = "AuthorizationQueryParametersError";
const KEPT = "operator-token";

/** A refusal, in the service's own words. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const TITLES = {
  0: "The service cannot be reached", 400: "That cannot be understood", 401: "The operator's token is needed",
  403: "Not allowed here", 404: "There is no such picture", 413: "Too large", 415: "Not a picture that can be read",
  422: "The file is damaged", 501: "Not possible here", 503: "Busy", 504: "It took too long",
};
export const title = ({ status }) => TITLES[status] ?? (status < 500 ? "That was refused" : "The service failed");

export class Service {
  /** `askToken(why)` gives the operator's token, or "" if there is none to have. */
  constructor(askToken) {
    this.askToken = askToken;
    this.signs = false; // whether this stack wants its pictures signed
    this.asking = null;
    this.refused = false; // the visitor has no token: ask no more until he says otherwise
  }

  get token() {
    return sessionStorage.getItem(KEPT) ?? "";
  }

  set token(value) {
    if (value) sessionStorage.setItem(KEPT, value);
    else sessionStorage.removeItem(KEPT);
    this.refused = false;
  }

  /** The answer to a picture's address, signed where the stack wants that; `quiet`: without asking for the token. */
  async picture(address, { signal, past = false, quiet = false } = {}) {
    const wanted = { signal, headers: { Accept: ACCEPT }, cache: past ? "reload" : "default" };
    const ask = async () => this.send(this.signs ? await this.signed(address, "1h", signal, quiet) : address, wanted);
    try {
      return await ask();
    } catch (error) {
      if (error.code !== NO_SIGNATURE || this.signs) throw error;
      this.signs = true;
      return ask();
    }
  }

  /** A picture that is not stored anywhere, done what the query says. */
  async transform(file, query, signal) {
    const options = { method: "POST", body: file, headers: { Accept: ACCEPT, "Content-Type": file.type || "application/octet-stream" } };
    return this.operated(`/_api/transform${query}`, { ...options, signal }, "Dropped files go through the operator's door; nothing is stored.");
  }

  /** A page of a source's pictures: {buckets, bucket, prefix, images, prefixes, cursor}. */
  async images({ bucket, prefix, cursor }, signal) {
    const query = new URLSearchParams({ limit: "60" });
    for (const [name, value] of Object.entries({ bucket, prefix, cursor })) if (value) query.set(name, value);
    const answer = await this.operated(`/_api/images?${query}`, { signal }, "");
    return answer.json();
  }

  async signed(url, expires, signal, quiet = false) {
    const body = JSON.stringify(expires ? { url, expires } : { url });
    const why = quiet ? "" : "This service shows signed addresses only; signing is the operator's.";
    const answer = await this.operated("/_api/sign", { method: "POST", body, signal, headers: { "Content-Type": "application/json" } }, why);
    return (await answer.json()).url;
  }

  /** The same address in another language: {url, unsaid}. */
  async translated(url, to, signal) {
    return (await this.send(`/_api/translate?${new URLSearchParams({ url, to })}`, { signal })).json();
  }

  /** With the token, which is asked for until it fits or the visitor has none; `why` tells for what (empty: not asked for). */
  async operated(address, options, why) {
    for (;;) {
      const used = this.token;
      const headers = { ...options.headers, ...(used ? { Authorization: `Bearer ${used}` } : {}) };
      try {
        return await this.send(address, { ...options, headers });
      } catch (error) {
        if (error.status !== 401 || !why || this.refused) throw error;
      }
      // Several requests may find the door shut at once: one dialog for all of them.
      if (used !== this.token) continue;
      this.token = "";
      this.asking ??= this.askToken((used ? "The token was not accepted. " : "") + why).finally(() => (this.asking = null));
      const given = await this.asking;
      if (given) {
        this.token = given;
        continue;
      }
      this.refused = true;
      throw new Refusal(401, "Unauthorized", `${why} Without the token it cannot be done.`);
    }
  }

  async send(address, options) {
    let answer;
    try {
      answer = await fetch(address, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal(0, "Unreachable", "No answer came. Is the server running, and the network there?");
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, said.code ?? "", said.message ?? `The answer was ${answer.status}.`);
  }
}
