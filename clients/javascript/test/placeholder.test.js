import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { decode } from "blurhash";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { rgbaToThumbHash, thumbHashToRGBA } from "thumbhash";
import { blurHashUrl, thumbHashUrl } from "../dist/placeholder.js";
import { Picture } from "../dist/react.js";

/** Return size and pixels of a PNG, and check what a decoder checks. */
function read(url) {
  const png = Buffer.from(url.replace("data:image/png;base64,", ""), "base64");
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const length = png.readUInt32BE(33);
  const rows = inflateSync(png.subarray(41, 41 + length));
  const pixels = [];
  for (let y = 0; y < height; y++) pixels.push(...rows.subarray(y * (width * 4 + 1) + 1, (y + 1) * (width * 4 + 1)));
  return { width, height, pixels };
}

function paint(width, height, alpha) {
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) rgba.set([(i * 7) % 256, (i * 3) % 256, 255 - (i % 200), alpha ? (i * 5) % 256 : 255], i * 4);
  return rgba;
}

for (const [width, height, alpha] of [[40, 30, false], [30, 40, false], [32, 32, true], [100, 20, true]])
  test(`a ThumbHash of ${width} × ${height}${alpha ? " with alpha" : ""} decodes as its author's code does`, () => {
    const hash = rgbaToThumbHash(width, height, paint(width, height, alpha));
    const expected = thumbHashToRGBA(hash);
    const got = read(thumbHashUrl(Buffer.from(hash).toString("base64")));
    assert.deepEqual([got.width, got.height], [expected.w, expected.h]);
    got.pixels.forEach((level, i) => assert.ok(Math.abs(level - expected.rgba[i]) <= 1, `${level} and ${expected.rgba[i]}`));
  });

test("a BlurHash decodes as its author's code does", () => {
  const hash = "LEHV6nWB2yk8pyo0adR*.7kCMdnj";
  const expected = decode(hash, 24, 16);
  const got = read(blurHashUrl(hash, 24, 16));
  got.pixels.forEach((level, i) => assert.ok(Math.abs(level - expected[i]) <= 1));
});

test("what is no hash is refused", () => {
  assert.throws(() => thumbHashUrl("AAA="), /at least 5 bytes/);
  assert.throws(() => blurHashUrl("LEHV6nWB2yk8pyo0adR*.7kCMdn"), /base 83/);
});

test("Picture renders sources, img and placeholder", () => {
  const markup = renderToStaticMarkup(
    createElement(Picture, { image: "cat.jpg", alt: "A <cat>", widths: [320], sizes: "50vw", blurHash: "LEHV6nWB2yk8pyo0adR*.7kCMdnj", className: "round" }),
  );
  assert.match(markup, /^<picture><source type="image\/avif" srcSet="\/cat\.jpg\?format=avif&amp;width=320 320w" sizes="50vw"\/>/);
  assert.match(markup, /<img loading="lazy" decoding="async" alt="A &lt;cat&gt;" class="round"/);
  assert.match(markup, /background-image:url\(data:image\/png;base64,/);
});
