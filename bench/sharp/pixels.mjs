// Pixels alone, for bench/efforts.py: reads {file, width, format, options, out?} a line, answers {ms, cpu} a line.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

sharp.cache(false);
const files = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { file, width, format, options, out } = JSON.parse(line);
  if (!files.has(file)) files.set(file, readFileSync(file));
  const started = performance.now();
  const before = process.cpuUsage();
  const encoded = await sharp(files.get(file)).rotate().resize(width).toFormat(format, options).toBuffer();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  if (out) writeFileSync(out, encoded);
  console.log(JSON.stringify({ ms, cpu: (user + system) / 1000 }));
}
