/** The canonical form of an address: the text that is signed (docs/signing.md of the service). */

export type Pairs = Iterable<readonly [string, string]>;

/** Percent-encode everything except letters, digits, `-`, `.`, `_` and `~`. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
}

/** Return a decoded path with decoded names and values, encoded in one way and sorted. */
export function canonical(path: string, pairs: Pairs): string {
  // Encoded names hold ASCII alone, so the order of their UTF-16 units is that of their bytes.
  const encoded = [...pairs].map(([name, value]) => [encode(name), encode(value)] as const);
  encoded.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const query = encoded.map((pair) => pair.join("=")).join("&");
  return path.split("/").map(encode).join("/") + (query && "?" + query);
}

/** Return the canonical form of a percent-encoded path with its query, without `signature`. */
export function canonicalOf(address: string, added: Readonly<Record<string, string>> = {}): string {
  if (!address.startsWith("/")) throw new TypeError(`the path must begin with a slash, got ${address}`);
  const [beforeFragment = ""] = address.split("#", 1);
  const at = beforeFragment.indexOf("?");
  const path = at < 0 ? beforeFragment : beforeFragment.slice(0, at);
  const pairs = new Map<string, string>();
  for (const part of at < 0 ? [] : beforeFragment.slice(at + 1).split("&")) {
    if (!part) continue;
    const [name, value] = splitOnce(part.replaceAll("+", " "));
    if (pairs.has(name)) throw new TypeError(`${name} occurs twice in ${address}`);
    pairs.set(name, value);
  }
  for (const [name, value] of Object.entries(added)) pairs.set(name, value);
  pairs.delete("signature");
  return canonical(decodeURIComponent(path), pairs);
}

/** Return an address in canonical form with its signature. */
export function withSignature(unsigned: string, signature: string): string {
  return `${unsigned}${unsigned.includes("?") ? "&" : "?"}signature=${signature}`;
}

/** What `expires` of a signed URL may be: a time, or the seconds from now. */
export type Expiry = Date | number;

/** Return the parameter `expires` for a time: `YYYYMMDDTHHmmssZ` in UTC. */
export function expiryOf(expires: Expiry | undefined): Record<string, string> {
  if (expires === undefined) return {};
  const at = typeof expires === "number" ? new Date(Date.now() + expires * 1000) : expires;
  return { expires: at.toISOString().replace(/\.\d+/, "").replace(/[-:]/g, "") };
}

function splitOnce(part: string): [string, string] {
  const at = part.indexOf("=");
  return at < 0 ? [decodeURIComponent(part), ""] : [decodeURIComponent(part.slice(0, at)), decodeURIComponent(part.slice(at + 1))];
}
