import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { imageUrl } from "../dist/index.js";
import { signUrl } from "../dist/sign.js";
import { signUrl as signUrlNow } from "../dist/sign-node.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors.json", import.meta.url), "utf8"));
const [secret] = vectors.secret;

for (const { key, options, url } of vectors.urls)
  test(`the URL of ${key} with ${JSON.stringify(options)}`, () => assert.equal(imageUrl(key, options), url));

for (const { path, url } of vectors.signatures)
  test(`the signature of ${path}`, async () => {
    assert.equal(signUrlNow(path, secret), url);
    assert.equal(await signUrl(path, secret), url);
  });

test("an expiry is signed", async () => {
  const expires = new Date("2030-12-31T23:59:59.900Z");
  const signed = signUrlNow("/photos/cat.jpg?width=300&expires=20200101T000000Z", secret, { expires });
  const same = vectors.signatures.find(({ path }) => path.includes("expires="));
  assert.equal(signed, same.url);
  assert.match(await signUrl("/a.jpg", secret, { expires: 60 }), /^\/a\.jpg\?expires=\d{8}T\d{6}Z&signature=[0-9a-f]{64}$/);
});

test("a repeated name, a relative path, a broken escape and an empty secret are refused", async () => {
  assert.throws(() => signUrlNow("/a.jpg?width=1&width=2", secret), /width occurs twice/);
  assert.throws(() => signUrlNow("a.jpg", secret), /begin with a slash/);
  assert.throws(() => signUrlNow("/a%zz.jpg", secret), URIError);
  assert.throws(() => signUrlNow("/a.jpg", ""), /secret/);
  await assert.rejects(signUrl("/a.jpg", ""), /secret/);
});
