import assert from "node:assert/strict";
import { test } from "node:test";
import { imageUrl, picture, srcset } from "../dist/index.js";
import { nextLoader } from "../dist/next.js";
import createProvider, { getImage } from "../dist/nuxt.js";
import { extract, generate, transform } from "../dist/unpic.js";
import astro from "../dist/astro.js";

const base = "https://images.example.com";

test("srcset has each width once, in ascending order", () =>
  assert.equal(
    srcset("cat.jpg", [640, 320, 640], { format: "auto" }, `${base}/`),
    `${base}/cat.jpg?format=auto&width=320 320w, ${base}/cat.jpg?format=auto&width=640 640w`,
  ));

test("picture has a source for each format, and an img for other browsers", () => {
  const { sources, img } = picture("cat.jpg", { widths: [320, 640], blur: 3 }, base);
  assert.deepEqual(sources.map(({ type }) => type), ["image/avif", "image/webp"]);
  assert.match(sources[0].srcset, /\?blur=3&format=avif&width=320 320w/);
  assert.equal(img.src, `${base}/cat.jpg?blur=3&width=640`);
  assert.throws(() => picture("cat.jpg", { widths: [] }), /at least one width/);
});

test("values that a parameter cannot have are refused by name", () => {
  assert.throws(() => imageUrl("", {}), /key must be/);
  assert.throws(() => imageUrl("cat.jpg", { width: NaN }), /width must be .*NaN/);
  assert.throws(() => imageUrl("cat.jpg", { watermark: { key: { a: 1 } } }), /watermark\.key must be/);
});

test("next/image", () => {
  const loader = nextLoader(base);
  assert.equal(loader({ src: "/cat.jpg", width: 640, quality: 75 }), `${base}/cat.jpg?format=auto&quality=75&width=640`);
  assert.equal(loader({ src: "/cat.jpg", width: 640 }), `${base}/cat.jpg?format=auto&width=640`);
});

test("a framework may pass a URL of the deployment, and none of another site", () => {
  const expected = `${base}/a%20b/cat.jpg?format=auto&width=640`;
  for (const src of ["a b/cat.jpg", `${base}/a%20b/cat.jpg`, `${base}/a%20b/cat.jpg?width=9`])
    assert.equal(nextLoader(`${base}/`)({ src, width: 640 }), expected);
  assert.equal(getImage(`${base}/_key/_a.jpg`, { baseURL: base }).url, `${base}/_key/_a.jpg`);
  assert.equal(astro.getURL({ src: `${base}/cat.jpg` }, { service: { config: { baseUrl: base } } }), `${base}/cat.jpg`);
  for (const src of ["https://other.example/cat.jpg", "//other.example/cat.jpg", `${base}.evil.example/cat.jpg`])
    assert.throws(() => nextLoader(base)({ src, width: 640 }), /src must be a key, or a URL that begins with/);
});

test("Nuxt's modifiers", () => {
  const url = getImage("cat.jpg", { baseURL: base, modifiers: { width: "300", fit: "scale-down", format: "jpg", quality: "mid", blur: 2 } }).url;
  assert.equal(url, `${base}/cat.jpg?blur=2&fit=inside&format=jpeg&quality=60&width=300`);
  assert.equal(createProvider().getImage, getImage);
  assert.throws(() => getImage("cat.jpg", { modifiers: { fit: "crop" } }), /fit must be one of/);
});

test("unpic: generate, extract and transform agree", () => {
  const options = { baseUrl: base };
  const url = generate("_a b/cat.jpg", { width: 300, fit: "cover" }, options);
  assert.equal(url, `${base}/_key/_a%20b/cat.jpg?fit=cover&width=300`);
  assert.deepEqual(extract(url, options), { src: "_a b/cat.jpg", operations: { fit: "cover", width: "300" }, options });
  assert.equal(transform(url, { width: 600 }, options), url.replace("300", "600"));
  assert.equal(extract("https://other.example/cat.jpg", options), null);
});

test("Astro's image service", () => {
  const config = { service: { config: { baseUrl: base, options: { format: "auto" } } } };
  const transform = { src: { src: "/cat.jpg", width: 1200, height: 800 }, width: 600, height: 400, widths: [300, 600], alt: "A cat" };
  assert.equal(astro.getURL(transform, config), `${base}/cat.jpg?format=auto&height=400&width=600`);
  const sizes = astro.getSrcSet(transform, config);
  assert.deepEqual(sizes.map(({ descriptor }) => descriptor), ["300w", "600w"]);
  assert.equal(astro.getURL(sizes[0].transform, config), `${base}/cat.jpg?format=auto&height=200&width=300`);
  const byDensity = astro.getSrcSet({ src: "/cat.jpg", width: 300, densities: [1, "2x"] });
  assert.deepEqual(byDensity.map(({ descriptor, transform }) => [descriptor, transform.width]), [["1x", 300], ["2x", 600]]);
  assert.deepEqual(astro.getHTMLAttributes(transform), { loading: "lazy", decoding: "async", width: 600, height: 400, alt: "A cat" });
});
