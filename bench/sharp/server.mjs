// The peer's server: files of a folder, as they are or resized by sharp, on node:http, as a small image service is written.
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import sharp from "sharp";

const [folder, port] = process.argv.slice(2);

async function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  const path = join(folder, decodeURIComponent(url.pathname));
  const { mtimeMs, size } = await stat(path);
  const etag = `"${mtimeMs.toString(16)}-${size.toString(16)}${url.search}"`;
  const headers = { ETag: etag, "Cache-Control": "public, max-age=31536000" };
  const [format, width] = [url.searchParams.get("format"), url.searchParams.get("width")];
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, headers).end();
  } else if (!format) {
    response.writeHead(200, { ...headers, "Content-Type": "image/jpeg", "Content-Length": size });
    createReadStream(path).pipe(response);
  } else {
    const original = await readFile(path);
    const picture = await sharp(original).rotate().resize({ width: Number(width) }).toFormat(format, { quality: 80 }).toBuffer();
    response.writeHead(200, { ...headers, "Content-Type": `image/${format}`, "Content-Length": picture.length }).end(picture);
  }
}

createServer((request, response) => {
  answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
}).listen(Number(port), "127.0.0.1");
