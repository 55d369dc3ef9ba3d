// Prints URLs that imgproxy's client libraries make, and the width and height of what they ask for: 200 x 100 pixels.
import { generateImageUrl } from "@imgproxy/imgproxy-node";
import builder, { chain } from "@bitpatty/imgproxy-url-builder";

const [key, salt] = process.argv.slice(2);
const url = "local:///t.jpg";
const keys = { key, salt };
const node = (options, displayAs = "base64") =>
  generateImageUrl({ endpoint: "", url: { value: url, displayAs }, options, ...keys });
const built = (make, options = {}) => make(builder()).build({ path: url, signature: keys, ...options });

const cases = {
  "node resize": [node({ resize: { resizing_type: "fill", width: 50, height: 40, enlarge: 1 } }), 50, 40],
  "node resize, plain": [node({ resize: { resizing_type: "fit", width: 50 } }, "plain"), 50, 25],
  "node size and format": [node({ size: { width: 60, height: 60 }, format: "webp" }), 60, 30],
  "node many": [node({
    width: 80, height: 80, resizing_type: "fill", gravity: { type: "no" }, dpr: 1, quality: 70, rotate: 0, blur: 1,
    sharpen: 1, pixelate: 2, background: "ff0000", padding: { top: 5 }, strip_metadata: true, filename: { name: "cat" },
    cache_buster: "v1", auto_rotate: true, enlarge: false,
  }), 90, 90],
  "node crop, extend": [node({ crop: { width: 0.5, height: 0 }, width: 120, height: 120, extend: { extend: true } }), 120, 120],
  "node trim, zoom": [node({ trim: { threshold: 5 }, zoom: 0.5 }), 0, 0],
  "builder rotate, blur": [built((it) => it.rotate(90).blur(2)), 100, 200],
  "builder plain": [built((it) => it.resize({ type: "fill", width: 50, height: 40 }), { plain: true }), 50, 40],
  "builder format": [built((it) => it.resize({ width: 50 }).format("png")), 50, 25],
  "builder many": [built((it) => it.resize({ width: 60, height: 60 }).quality(50).gravity({ type: "so" }).dpr(1)
    .pad({ top: 1, right: 2, bottom: 3, left: 4 }).background("ff00ff").stripMetadata().fileName("cat")
    .cacheBuster("x").enlarge().autoRotate().expires(4102444800)), 66, 34],
  "builder crop": [built((it) => it.crop({ width: 40, height: 30, gravity: { type: "nowe" } })), 40, 30],
  "builder chained": [chain({ buildOptions: { path: url, signature: keys }, builders: [builder().resize({ width: 100 }), builder().pad({ top: 5 })] }), 110, 60],
};
for (const size of [8, 16, 32]) {
  cases[`builder signature of ${size} bytes`] =
    [builder().resize({ width: 20 }).build({ path: url, signature: { ...keys, size } }), 20, 10, size];
}
console.log(JSON.stringify(cases));
