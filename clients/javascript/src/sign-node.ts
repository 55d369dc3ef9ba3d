/** Signs URLs by node:crypto, without waiting. Never send the secret to a page. */
import { createHmac } from "node:crypto";
import { canonicalOf, expiryOf, withSignature, type Expiry } from "./canonical.js";

export type { Expiry };

/** Return path and query with a signature. Throws a TypeError for what is no path, and for an empty secret. */
export function signUrl(path: string, secret: string, options: { expires?: Expiry } = {}): string {
  if (!secret) throw new TypeError("secret must not be empty");
  const unsigned = canonicalOf(path, expiryOf(options.expires));
  return withSignature(unsigned, createHmac("sha256", secret).update(unsigned).digest("hex"));
}
