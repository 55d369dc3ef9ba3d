/**
 * Placeholders as PNG data URLs, on servers and in browsers, from the hashes that `?info=true` answers.
 *
 * ThumbHash: https://evanw.github.io/thumbhash/ (MIT). BlurHash: https://github.com/woltapp/blurhash/blob/master/Algorithm.md
 */

interface Pixels {
  width: number;
  height: number;
  /** Red, green, blue, alpha, row by row. */
  rgba: Uint8Array;
}

/** Return a data URL of at most 32 pixels a side. Throws a TypeError for what is no ThumbHash. */
export function thumbHashUrl(base64: string): string {
  return pngUrl(decodeThumbHash(fromBase64(base64)));
}

/** Return a data URL of the given size in pixels. Throws a TypeError for what is no BlurHash. */
export function blurHashUrl(hash: string, width = 32, height = 32): string {
  return pngUrl(decodeBlurHash(hash, width, height));
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** One channel of a ThumbHash: a constant part and the coefficients of a cosine transform below its diagonal. */
interface Channel {
  constant: number;
  columns: number;
  rows: number;
  coefficients: number[];
}

function decodeThumbHash(hash: Uint8Array): Pixels {
  if (hash.length < 5) throw new TypeError(`a ThumbHash must have at least 5 bytes, got ${hash.length}`);
  const byte = (at: number): number => hash[at] ?? 0;
  const head = byte(0) | (byte(1) << 8) | (byte(2) << 16);
  const tail = byte(3) | (byte(4) << 8);
  const [hasAlpha, isLandscape] = [head >> 23, tail >> 15];
  const [longer, shorter] = [hasAlpha ? 5 : 7, tail & 7];
  let nibble = hasAlpha ? 12 : 10;
  const channel = (constant: number, columns: number, rows: number, scale: number): Channel => {
    const coefficients = [];
    for (let row = 0; row < rows; row++)
      for (let column = row ? 0 : 1; column * rows < columns * (rows - row); column++, nibble++)
        coefficients.push((((byte(nibble >> 1) >> ((nibble & 1) << 2)) & 15) / 7.5 - 1) * scale);
    return { constant, columns, rows, coefficients };
  };
  const [columns, rows] = isLandscape ? [longer, shorter] : [shorter, longer];
  // Colours are stored with a quarter more strength than they have.
  const lightness = channel((head & 63) / 63, Math.max(3, columns), Math.max(3, rows), ((head >> 18) & 31) / 31);
  const yellowBlue = channel(((head >> 6) & 63) / 31.5 - 1, 3, 3, (((tail >> 3) & 63) / 63) * 1.25);
  const redGreen = channel(((head >> 12) & 63) / 31.5 - 1, 3, 3, (((tail >> 9) & 63) / 63) * 1.25);
  const alpha = hasAlpha ? channel((byte(5) & 15) / 15, 5, 5, (byte(5) >> 4) / 15) : null;

  const ratio = columns / rows;
  const width = Math.round(ratio > 1 ? 32 : 32 * ratio);
  const height = Math.round(ratio > 1 ? 32 / ratio : 32);
  const rgba = new Uint8Array(width * height * 4);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      const [l, p, q] = [lightness, yellowBlue, redGreen].map((each) => valueAt(each, x, y, width, height)) as [number, number, number];
      const blue = l - (2 / 3) * p;
      const red = (3 * l - blue + q) / 2;
      const opacity = alpha ? valueAt(alpha, x, y, width, height) : 1;
      [red, red - q, blue, opacity].forEach((level, i) => (rgba[at + i] = Math.max(0, 255 * Math.min(1, level))));
    }
  return { width, height, rgba };
}

function valueAt({ constant, columns, rows, coefficients }: Channel, x: number, y: number, width: number, height: number): number {
  let value = constant;
  for (let row = 0, at = 0; row < rows; row++) {
    const vertical = Math.cos((Math.PI / height) * (y + 0.5) * row) * 2;
    for (let column = row ? 0 : 1; column * rows < columns * (rows - row); column++, at++)
      value += (coefficients[at] ?? 0) * Math.cos((Math.PI / width) * (x + 0.5) * column) * vertical;
  }
  return value;
}

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

function decodeBlurHash(hash: string, width: number, height: number): Pixels {
  const number = (start: number, end: number): number =>
    [...hash.slice(start, end)].reduce((value, digit) => value * 83 + DIGITS.indexOf(digit), 0);
  const size = number(0, 1);
  const [columns, rows] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  if ([...hash].some((digit) => !DIGITS.includes(digit)) || hash.length !== 4 + 2 * columns * rows)
    throw new TypeError(`a BlurHash must be 4 and two digits of base 83 for each component, got ${hash}`);
  const strongest = (number(1, 2) + 1) / 166;
  const average = number(2, 6);
  const colours: number[][] = [[average >> 16, (average >> 8) & 255, average & 255].map(toLinear)];
  for (let i = 1; i < columns * rows; i++) {
    const value = number(4 + i * 2, 6 + i * 2);
    const levels = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
    colours.push(levels.map((level) => Math.sign(level - 9) * ((level - 9) / 9) ** 2 * strongest));
  }
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      const sum = [0, 0, 0];
      colours.forEach((colour, i) => {
        const weight = Math.cos((Math.PI * x * (i % columns)) / width) * Math.cos((Math.PI * y * Math.floor(i / columns)) / height);
        colour.forEach((level, c) => (sum[c] = (sum[c] ?? 0) + level * weight));
      });
      sum.forEach((level, c) => (rgba[at + c] = toEncoded(level)));
    }
  return { width, height, rgba };
}

/** The transfer functions of sRGB, for levels from 0 to 255. */
function toLinear(level: number): number {
  const share = level / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

function toEncoded(linear: number): number {
  const share = Math.max(0, Math.min(1, linear));
  return Math.round((share <= 0.0031308 ? share * 12.92 : 1.055 * share ** (1 / 2.4) - 0.055) * 255);
}

/** Return a PNG whose pixels are not compressed: a browser reads it, and it needs no library. */
function pngUrl({ width, height, rgba }: Pixels): string {
  const row = width * 4 + 1;
  const raw = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) raw.set(rgba.subarray(y * width * 4, (y + 1) * width * 4), y * row + 1);
  // One stored block of deflate holds up to 65,535 bytes.
  if (raw.length > 65_535) throw new TypeError(`a placeholder must have at most 16,000 pixels, got ${width} × ${height}`);
  const length = [raw.length & 255, raw.length >> 8];
  const zlib = [0x78, 1, 1, ...length, ...length.map((byte) => byte ^ 255), ...raw, ...bigEndian(adler32(raw))];
  const header = [...bigEndian(width), ...bigEndian(height), 8, 6, 0, 0, 0];
  const png = [137, 80, 78, 71, 13, 10, 26, 10, ...chunk("IHDR", header), ...chunk("IDAT", zlib), ...chunk("IEND", [])];
  return "data:image/png;base64," + btoa(png.map((byte) => String.fromCharCode(byte)).join(""));
}

function chunk(type: string, content: number[]): number[] {
  const checked = [...Array.from(type, (c) => c.charCodeAt(0)), ...content];
  return [...bigEndian(content.length), ...checked, ...bigEndian(crc32(checked))];
}

function bigEndian(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function crc32(bytes: number[]): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) [a, b] = [(a + byte) % 65_521, (b + a + byte) % 65_521];
  return (b << 16) | a;
}
