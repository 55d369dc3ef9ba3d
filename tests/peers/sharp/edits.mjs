// Reads a request a line, applies its edits with sharp as AWS's image handler does, writes the file, says how it went.
//
// {"source", "overlays": {key: path}, "edits", "outputFormat"?, "effort"?, "out"} → {"format", "width", "height", "frames"}
// or {"error"}. Where this house deviates on purpose (docs/compatibility.md) it is told to do as this house does: the
// orientation is applied, all frames of an animation are kept where the format can, and a round crop is not squeezed through a JPEG.
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import sharp from 'sharp';

sharp.concurrency(1);
sharp.cache(false);

const open = (bytes, animated) => sharp(bytes, { failOn: 'none', autoOrient: true, animated });

async function madeSoFar(image) {
  const { data, info } = await image.clone().png().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.pageHeight ?? info.height };
}

async function overlay(image, edit, overlays) {
  const { width, height } = await madeSoFar(image);
  const resize = { fit: 'inside' };
  if (edit.wRatio) resize.width = Math.floor((width * Number(edit.wRatio)) / 100);
  if (edit.hRatio) resize.height = Math.floor((height * Number(edit.hRatio)) / 100);
  const opacity = 255 * (1 - Number(edit.alpha ?? 0) / 100);
  const veil = { input: Buffer.from([255, 255, 255, opacity]), raw: { width: 1, height: 1, channels: 4 }, tile: true };
  const input = await sharp(await readFile(overlays[edit.key]))
    .resize(resize)
    .composite([{ ...veil, blend: 'dest-in' }])
    .png()
    .toBuffer();
  const size = await sharp(input).metadata();
  const options = { ...edit.options, input };
  for (const [side, whole, own] of [['left', width, size.width], ['top', height, size.height]]) {
    const said = edit.options?.[side];
    if (said === undefined) continue;
    const text = String(said);
    let place = parseInt(text, 10);
    if (text.endsWith('p')) place = Math.floor(place < 0 ? whole + (whole * place) / 100 - own : (whole * place) / 100);
    else if (place < 0) place = whole + place - own;
    options[side] = place;
  }
  return image.composite([options]);
}

async function roundCrop(image, edit, animated) {
  const { data, width, height } = await madeSoFar(image);
  const { rx = Math.min(width, height) / 2, ry = Math.min(width, height) / 2, left = width / 2, top = height / 2 } =
    edit === true ? {} : edit;
  const ellipse = `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
    <ellipse cx="${left}" cy="${top}" rx="${rx}" ry="${ry}"/></svg>`;
  const cut = await sharp(data).composite([{ input: Buffer.from(ellipse), blend: 'dest-in' }]).png().toBuffer();
  return open(cut, animated).trim();
}

function withRatio(resize, metadata) {
  const { ratio, ...rest } = resize;
  if (ratio) {
    const { width, height } = rest.width && rest.height ? rest : metadata;
    Object.assign(rest, { width: Math.round(width * ratio), height: Math.round(height * ratio), fit: rest.fit ?? 'inside' });
  }
  return rest;
}

async function apply(image, edits, { overlays, metadata, animated }) {
  for (const [name, value] of Object.entries(edits)) {
    if (name === 'overlayWith') image = await overlay(image, value, overlays);
    else if (name === 'roundCrop') image = await roundCrop(image, value, animated);
    else if (name === 'crop') image = image.extract(value);
    else if (name === 'resize') image = image.resize(withRatio(value, metadata));
    else if (name === 'rotate' && value === null) image = image.autoOrient();
    else if (name !== 'animated') image = image[name](value);
  }
  return image;
}

async function answer({ source, overlays, edits, outputFormat, effort, out }) {
  const bytes = await readFile(source);
  const format = edits.toFormat ?? outputFormat;
  const animated = edits.animated ?? ['gif', 'webp'].includes(format);
  const opened = await open(bytes, animated).metadata();
  const metadata = { width: opened.autoOrient.width, height: opened.pageHeight ?? opened.autoOrient.height };
  let image = await apply(open(bytes, animated), edits, { overlays, metadata, animated });
  if (format === 'webp' && effort !== undefined) image = image.webp({ effort });
  else if (format) image = image.toFormat(format);
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  await writeFile(out, data);
  const frames = info.pages ?? 1;
  return { format: info.format, width: info.width, height: info.pageHeight ?? info.height, frames };
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch((error) => ({ error: String(error.message ?? error) }));
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
