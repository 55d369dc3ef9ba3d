// Answers a request a line and says how long it took; the answer itself goes to a file when one is named.
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { answer } from "./handler.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  const { out, ...request } = JSON.parse(line);
  const started = performance.now();
  const before = process.cpuUsage();
  const { body } = await answer(request);
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  if (out) writeFileSync(out, Buffer.from(body, "base64"));
  console.log(JSON.stringify({ ms, cpu: (user + system) / 1000 }));
}
