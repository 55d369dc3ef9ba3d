/** Signs URLs by WebCrypto: in Node 20 and later, Deno, Bun, workers and edge functions. Never send the secret to a page. */
import { canonicalOf, expiryOf, withSignature, type Expiry } from "./canonical.js";

export type { Expiry };

/** Return path and query with a signature. Rejects with a TypeError for what is no path, and for an empty secret. */
export async function signUrl(path: string, secret: string, options: { expires?: Expiry } = {}): Promise<string> {
  if (!secret) throw new TypeError("secret must not be empty");
  const unsigned = canonicalOf(path, expiryOf(options.expires));
  const utf8 = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(unsigned)));
  return withSignature(unsigned, Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(""));
}
